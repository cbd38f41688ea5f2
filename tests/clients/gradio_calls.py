"""Gradio's Python client of one release against a running server: `gradio_calls.py BASE_URL MODEL RELEASE`.

BASE_URL is the plugin's; its apps are below it.
"""

import json
import sys
import threading
import time
from importlib.metadata import version

import httpx
from gradio_client import Client

from checks import check, equal, holds, raises, run_all

BASE, MODEL, RELEASE = sys.argv[1:4]
NUMBERS = tuple(int(number) for number in RELEASE.split("."))
# Up to here each call has a websocket of its own, and what is JSON is handed over as the path of a file.
IS_OLD = NUMBERS < (0, 7)
WAIT = 300
# What the model repeats until its context is full.
LONG = "Repeat after me: " + "banana " * 400


def app(path=""):
    return Client(BASE + path + "/", verbose=False)


def shown(value):
    """A chatbot's pairs."""
    if IS_OLD:
        with open(value) as file:
            value = json.load(file)
    return [list(pair) for pair in value]


def say(client, text, sampling=(0.0, 1.0, 64), add=7, respond=8):
    """A message and its answer by FastChat's functions: the job of the answer."""
    client.predict(MODEL, text, fn_index=add)
    return client.submit(*sampling, fn_index=respond)


@check
def the_release_is_the_one():
    equal(version("gradio_client"), RELEASE)


@check
def the_first_call_of_all():
    values = app().predict("vicuna-7b,vicuna-13b", fn_index=0)
    button = {"__type__": "update", "mode": "static"}
    equal(list(values), ["", button, button, button])
    equal(list(app().predict(MODEL, api_name="/flag_last_response")), list(values))


@check
def the_functions_are_shown():
    text = app().view_api(return_format="str", all_endpoints=True, print_info=False)
    line = 'predict(parameter_5, api_name="/upvote_last_response") -> (value_9, value_13, value_14, value_15)'
    holds(text, line)
    holds(text, "Option from: [('%s', '%s')" % (MODEL, MODEL))
    holds(text, 'predict(message, api_name="/chat") -> response')


@check
def a_chat_remembers():
    client = app("/chat")
    holds(client.predict("What is the capital of France?", api_name="/chat"), "Paris")
    job = client.submit("And of Germany?", api_name="/chat")
    answer = job.result(timeout=WAIT)
    holds(answer, "Berlin")
    outputs = job.outputs()
    equal(outputs[-1], answer)
    assert all(answer.startswith(output) for output in outputs), outputs
    # Another client knows nothing of it.
    other = app("/chat").predict("And of Germany?", api_name="/chat")
    equal(other, app("/chat").predict("And of Germany?", api_name="/chat"))


@check
def an_answer_is_iterated_over():
    outputs = list(app("/chat").submit("Tell me a short story.", api_name="/chat"))
    assert len(outputs) > 1, outputs
    assert all(longer.startswith(shorter) for shorter, longer in zip(outputs, outputs[1:])), outputs


@check
def fastchat_by_index():
    client = app()
    values = client.predict(MODEL, "What is the capital of France?", fn_index=7)
    equal((shown(values[0]), values[1], len(values)), ([["What is the capital of France?", None]], "", 7))
    job = client.submit(0.0, 1.0, 64, fn_index=8)
    final = job.result(timeout=WAIT)
    bots = [shown(output[0])[0][1] for output in job.outputs()]
    equal(bots[0], "▌")
    assert all(bot.endswith("▌") for bot in bots[:-1]), bots
    equal(bots[-1], shown(final[0])[0][1])
    holds(bots[-1], "Paris")
    assert "▌" not in bots[-1] and len(final) == 6
    answer = say(client, "And of Germany?", add=9, respond=10).result(timeout=WAIT)
    holds(shown(answer[0])[1][1], "Berlin")
    taken_back = client.predict(fn_index=3)
    equal(shown(taken_back[0])[1], ["And of Germany?", None])
    again = client.submit(0.0, 1.0, 64, fn_index=4).result(timeout=WAIT)
    equal(shown(again[0]), shown(answer[0]))
    equal(shown(client.predict(fn_index=5)[0]), [])
    if not IS_OLD:
        holds(str(client.predict({}, fn_index=11)), MODEL)


@check
def fastchat_by_name():
    client = app()
    client.predict(MODEL, "Hello!", api_name="/add_text")
    values = client.predict(0.7, 1.0, 16, api_name="/bot_response")
    assert shown(values[0])[0][1], values
    client.predict(api_name="/clear_history")
    values = client.predict(MODEL, "  ", api_name="/add_text_1")
    equal(shown(values[0]), [])


@check
def the_tabs():
    client = app("/multi")
    client.predict("", "", "Hello!", fn_index=9)
    job = client.submit(0.0, 1.0, 16, fn_index=10)
    values = job.result(timeout=WAIT)
    assert shown(values[0])[0][1] and shown(values[1])[0][1], values
    assert len(job.outputs()) > 1
    names = client.predict("", "", api_name="/leftvote_last_response")
    holds(names[0], "### Model A: ")
    client.predict(MODEL, MODEL, "Hello!", api_name="/add_text_2")
    values = client.predict(0.0, 1.0, 16, api_name="/bot_response_multi_3")
    equal(shown(values[0]), shown(values[1]))
    equal(len(client.submit(api_name="/flash_buttons_3").result(timeout=WAIT)), 6)
    client.predict(MODEL, "Hello!", api_name="/add_text_4")
    assert shown(client.predict(0.0, 1.0, 16, api_name="/bot_response_1")[0])[0][1]
    if not IS_OLD:
        error = raises(Exception, lambda: client.predict(MODEL, "Hello!", None, api_name="/add_text_6"))
        holds(str(error), "sees no pictures")


@check
def lmdeploys_page():
    client = app("/lmdeploy")
    client.predict(api_name="/init")
    job = client.submit("What is the capital of France?", 0.8, 0.01, 64, api_name="/chat_stream_restful")
    values = job.result(timeout=WAIT)
    pairs = shown(values[0] if IS_OLD else values)
    holds(pairs[0][1], "Paris")
    assert len(job.outputs()) > 1
    client.predict("And of Germany?", 0.8, 0.01, 64, api_name="/chat_stream_restful")
    client.predict(fn_index=2)
    values = client.predict("x", api_name="/reset_restful_func")
    equal((shown(values[0]), values[1]), ([], "x"))
    equal(client.predict(api_name="/lambda"), "")


@check
def a_long_answer_is_ended():
    client = app()
    job = say(client, LONG, (0.0, 1.0, 4000))
    deadline = time.time() + WAIT
    while len(job.outputs()) < 3 and not job.done() and time.time() < deadline:
        time.sleep(0.01)
    job.cancel()
    # The next call of the same client is answered.
    equal(shown(client.predict(fn_index=5)[0]), [])
    holds(shown(say(client, "What is the capital of France?").result(timeout=WAIT)[0])[0][1], "Paris")


@check
def lmdeploys_answer_is_ended():
    client = app("/lmdeploy")
    job = client.submit(LONG, 1.0, 0.01, 2048, api_name="/chat_stream_restful")
    deadline = time.time() + WAIT
    while len(job.outputs()) < 3 and not job.done() and time.time() < deadline:
        time.sleep(0.01)
    client.predict(api_name="/cancel_restful_func")
    values = job.result(timeout=WAIT)
    pairs = shown(values[0] if IS_OLD else values)
    equal((len(pairs), pairs[0][0]), (1, LONG))
    values = client.submit("Hello!", 0.8, 0.01, 16, api_name="/chat_stream_restful").result(timeout=WAIT)
    equal(len(shown(values[0] if IS_OLD else values)), 2)


@check
def calls_of_one_client_at_once():
    client = app()
    jobs = [client.submit("m%d" % number, fn_index=number % 3) for number in range(9)]
    for job in jobs:
        equal(job.result(timeout=WAIT)[0], "")
    for _ in range(5):
        equal(client.predict("m", fn_index=0)[0], "")


@check
def ten_clients_at_once():
    clients = [app("/chat") for _ in range(10)]
    failures = []

    def talk(number, client):
        try:
            capital = [("France", "Paris"), ("Germany", "Berlin")][number % 2]
            holds(client.predict("What is the capital of %s?" % capital[0], api_name="/chat"), capital[1])
            history = number % 2
            answer = client.predict("And of %s?" % ["Germany", "France"][history], api_name="/chat")
            holds(answer, ["Berlin", "Paris"][history])
        except Exception as error:
            failures.append("%d: %r" % (number, error))

    threads = [threading.Thread(target=talk, args=pair) for pair in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(failures, [])


@check
def errors_are_shown():
    client = app()
    error = raises(Exception, lambda: client.predict("nobody", "Hello!", fn_index=7))
    holds(str(error), "the model `nobody` does not exist")
    raises(Exception, lambda: client.predict(fn_index=999))
    raises(ValueError, lambda: client.predict("x", api_name="/nobody"))
    raises(Exception, lambda: client.predict(api_name="/chat"))
    error = raises(Exception, lambda: client.predict(7, api_name="/chat"))
    if NUMBERS >= (1, 0):
        holds(str(error), "must be text")
    holds(client.predict("What is the capital of France?", api_name="/chat"), "Paris")


@check
def calls_with_curl():
    with httpx.Client(base_url=BASE, timeout=WAIT) as http:
        for prefix in ["", "/gradio_api"]:
            event = http.post(prefix + "/call/chat", json={"data": ["What is the capital of France?"]}).json()["event_id"]
            text = http.get("%s/call/chat/%s" % (prefix, event)).text
            last = text.strip().split("\n\n")[-1].split("\n")
            equal(last[0], "event: complete")
            holds(json.loads(last[1][len("data: "):])[0], "Paris")
        answer = http.post("/api/predict/", json={"data": ["m"], "fn_index": 0}).json()
        equal(answer["data"][0], "")
        answer = http.post("/run/chat", json={"data": ["What is the capital of France?"]}).json()
        holds(answer["data"][0], "Paris")


@check
def files_go_up_and_come_down():
    with httpx.Client(base_url=BASE + "/gradio_api", timeout=WAIT) as http:
        files = [("files", ("a.txt", b"one")), ("files", ("../b.html", b"<b>two</b>"))]
        paths = http.post("/upload", files=files).json()
        equal([http.get("/file=" + path).content for path in paths], [b"one", b"<b>two</b>"])
        equal(http.get("/file=" + paths[1]).headers["content-type"], "application/octet-stream")
        equal(http.get("/file=/etc/passwd").status_code, 403)


if __name__ == "__main__":
    run_all()
