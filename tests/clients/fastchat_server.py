"""FastChat's own API server in front of this server's worker and controller: `fastchat_server.py BASE_URL MODEL`.

It asks the controller for a worker and the worker for text, and shapes the answers itself. What it answers must be what the dialect
answers without it, but for ids, times and where a text is cut into chunks.
"""

import json
import os
import socket
import sys
import threading
import time

import requests
import uvicorn

# No log file in the working folder.
os.environ["LOGDIR"] = ""
from fastchat.serve import openai_api_server

from checks import check, equal, run_all

BASE_URL, MODEL = sys.argv[1], sys.argv[2]


def start():
    """Base URL of a running server of FastChat's."""
    openai_api_server.app_settings.controller_address = BASE_URL
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(openai_api_server.app, log_level="warning"))
    threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    return "http://127.0.0.1:%d" % listener.getsockname()[1]


REFERENCE = start()


def without_chance(value):
    """The same without ids and times, their keys left in place."""
    if isinstance(value, dict):
        return {key: type(part).__name__ if key in ("id", "created") else without_chance(part) for key, part in value.items()}
    return [without_chance(part) for part in value] if isinstance(value, list) else value


def pieced(chunks):
    """Chunks of text that follow each other as one: where a text is cut is chance."""
    whole = []
    for chunk in chunks:
        text = chunk["choices"][0].get("delta", chunk["choices"][0])
        key = "content" if "content" in text else "text" if text.get("text") else None
        if key and whole and whole[-1][0] == key and whole[-1][1]["choices"][0]["index"] == chunk["choices"][0]["index"]:
            before = whole[-1][1]["choices"][0]
            joined = before.get("delta", before)[key] + text[key]
            text[key] = joined
            whole[-1] = (key, chunk)
        else:
            whole.append((key, chunk))
    return [chunk for _, chunk in whole]


def answer(base, path, body):
    response = requests.post(base + path, json=body)
    if body.get("stream") and response.status_code == 200:
        events = [line[len("data: "):] for line in response.text.split("\n\n") if line]
        equal(events.pop(), "[DONE]")
        return response.status_code, pieced([without_chance(json.loads(event)) for event in events])
    return response.status_code, without_chance(response.json())


def same(path, body):
    body = dict({"model": MODEL, "temperature": 0}, **body)
    reference, ours = answer(REFERENCE, path, body), answer(BASE_URL, path, body)
    # As texts: the order of keys counts.
    equal(json.dumps(ours), json.dumps(reference))


@check
def models_are_the_same():
    of = lambda base: json.dumps(without_chance(requests.get(base + "/v1/models").json()))
    equal(of(BASE_URL), of(REFERENCE))


@check
def chats_are_the_same():
    prompt = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n"
    for path in ("/v1/chat/completions", "/api/v1/chat/completions"):
        for fields in ({}, {"n": 2}, {"stream": True}, {"stream": True, "n": 3}, {"stop": "France"}, {"stop": [" is", "x"], "stream": True},
                       {"max_tokens": 2}, {"max_tokens": 2, "stream": True}, {"max_tokens": 100000}, {"user": "u", "unknown": 1}):
            same(path, dict({"messages": prompt}, **fields))


@check
def completions_are_the_same():
    for fields in ({}, {"n": 2}, {"echo": True}, {"logprobs": 1, "max_tokens": 4}, {"logprobs": 1, "echo": True, "max_tokens": 4},
                   {"prompt": ["Hello", "Once upon"], "max_tokens": 3}, {"max_tokens": 5, "suffix": "x", "best_of": 3},
                   {"stream": True}, {"stream": True, "n": 2, "max_tokens": 4}, {"stream": True, "echo": True, "max_tokens": 4},
                   {"stream": True, "prompt": ["Hello", "Once upon"], "max_tokens": 3}):
        same("/v1/completions", dict({"prompt": "two steps to build a house:"}, **fields))


@check
def refusals_are_the_same():
    for fields in ({"model": "nope"}, {"model": MODEL + ",other"}, {"max_tokens": 0}, {"n": 0}, {"temperature": -1}, {"temperature": 2.5},
                   {"top_p": -0.5}, {"top_p": 1.5}, {"top_k": 0}, {"model": "nope", "stream": True}):
        same("/v1/chat/completions", dict({"messages": "Hello"}, **fields))
        same("/v1/completions", dict({"prompt": "Hello"}, **fields))
    same("/v1/chat/completions", {"messages": "word " * 3000})


@check
def tokens_are_checked_the_same():
    same("/api/v1/token_check", {"prompts": [{"model": MODEL, "prompt": "Hello there", "max_tokens": tokens} for tokens in (1, 10 ** 6)]})


run_all()
