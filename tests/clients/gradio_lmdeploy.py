"""`lmdeploy serve gradio URL` of release 0.9.2 in front of a running server: `gradio_lmdeploy.py BASE_URL MODEL`.

The page is lmdeploy's own, served by Gradio in a process of its own; it asks BASE_URL for everything. It is driven by its queue:
`gradio_client` leaves out the two buttons that the page's functions take, and the page refuses that.
"""

import json
import os
import socket
import subprocess
import sys
import time

import httpx
from gradio_client import Client

from checks import check, equal, holds, run_all

BASE, MODEL = sys.argv[1:3]
PAGE = "from sys import argv; from lmdeploy.serve.gradio.app import run; run(argv[1], server_name='127.0.0.1', server_port=int(argv[2]))"

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    PORT = free.getsockname()[1]
URL = "http://127.0.0.1:%d" % PORT


def call(http, function, data, session):
    """The values of one call of the page, in order."""
    http.post("/gradio_api/queue/join", json={"data": data, "fn_index": function, "session_hash": session}).raise_for_status()
    values = []
    with http.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
        for line in stream.iter_lines():
            message = json.loads(line[len("data: "):]) if line else {}
            if message.get("msg") == "process_completed":
                assert message["success"], message
                values.append(message["output"]["data"])
            elif message.get("msg") == "process_generating":
                values.append(None)
    return values


@check
def the_page_names_the_model():
    info = Client(URL, verbose=False).view_api(return_format="dict", print_info=False)
    chat = info["named_endpoints"]["/chat_stream_restful"]
    equal(chat["returns"][0]["label"], MODEL)


@check
def a_conversation():
    with httpx.Client(base_url=URL, timeout=300) as http:
        call(http, 4, [], "s")
        values = call(http, 0, ["What is the capital of France?", None, "Cancel", "Reset", None, 0.8, 0.01, 64], "s")
        assert len(values) > 3, values
        holds(values[-1][1][0][1], "Paris")
        values = call(http, 0, ["And of Germany?", None, "Cancel", "Reset", None, 0.8, 0.01, 64], "s")
        holds(values[-1][1][1][1], "Berlin")
        equal(call(http, 3, ["", None, None], "s")[-1][1], [])


if __name__ == "__main__":
    page = subprocess.Popen([sys.executable, "-c", PAGE, BASE, str(PORT)],
                            env={**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"})
    try:
        deadline = time.time() + 300
        while True:
            try:
                httpx.get(URL + "/config", timeout=10).raise_for_status()
                break
            except httpx.HTTPError:
                assert page.poll() is None and time.time() < deadline, "the page does not start"
                time.sleep(0.1)
        run_all()
    finally:
        page.terminate()
        page.wait()
