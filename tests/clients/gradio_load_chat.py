"""`gr.load_chat`, a page of Gradio's own for servers that speak OpenAI's dialect: `gradio_load_chat.py BASE_URL MODEL`."""

import os
import sys

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio
from gradio_client import Client

from checks import check, holds, run_all

BASE, MODEL = sys.argv[1:3]


@check
def a_page_chats():
    page = gradio.load_chat(BASE, model=MODEL, token="none")
    page.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    try:
        client = Client(page.local_url, verbose=False)
        # One turn: with a history that its own API keeps, this release refuses its own messages ("must have a type key").
        job = client.submit({"text": "What is the capital of France?", "files": []}, api_name="/open_api_stream")
        holds(job.result(timeout=300), "Paris")
        assert len(job.outputs()) > 1, job.outputs()
    finally:
        page.close()


if __name__ == "__main__":
    run_all()
