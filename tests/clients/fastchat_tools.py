"""FastChat's own scripts against its dialect's controller and worker: `fastchat_tools.py BASE_URL MODEL`.

`test_message` and `test_throughput` of the release on PYTHONPATH run as they are. The first asks a module that needs torch for the
model's prompt format; in its place stands the format that the worker tells.
"""

import contextlib
import io
import runpy
import sys
import types

import requests
from fastchat.conversation import Conversation, SeparatorStyle

from checks import check, equal, holds, run_all

BASE_URL, MODEL = sys.argv[1], sys.argv[2]


def conversation_of(model):
    told = requests.post(BASE_URL + "/worker_get_conv_template", json={"model": model}).json()["conv"]
    names = Conversation.__dataclass_fields__
    told = {key: value for key, value in told.items() if key in names}
    # As FastChat's server does it.
    return Conversation(**dict(told, sep_style=SeparatorStyle(told["sep_style"]), messages=list(told["messages"])))


adapter = types.ModuleType("fastchat.model.model_adapter")
adapter.get_conversation_template = conversation_of
sys.modules["fastchat.model"] = types.ModuleType("fastchat.model")
sys.modules["fastchat.model.model_adapter"] = adapter


def run(module, *arguments):
    """What a script prints."""
    printed, before = io.StringIO(), sys.argv
    sys.argv = [module] + list(arguments)
    try:
        with contextlib.redirect_stdout(printed):
            runpy.run_module(module, run_name="__main__")
    finally:
        sys.argv = before
    return printed.getvalue()


@check
def a_message_is_answered():
    printed = run("fastchat.serve.test_message", "--controller-address", BASE_URL, "--model-name", MODEL,
                  "--message", "What is the capital of France?")
    holds(printed, "worker_addr: " + BASE_URL)
    holds(printed, "Paris")


@check
def a_worker_is_asked_without_its_controller():
    printed = run("fastchat.serve.test_message", "--worker-address", BASE_URL, "--model-name", MODEL, "--message", "Hello!")
    assert len(printed.splitlines()[-1]) > len("<|im_start|>assistant: "), printed


@check
def a_model_without_a_worker_is_told():
    printed = run("fastchat.serve.test_message", "--controller-address", BASE_URL, "--model-name", "nope")
    holds(printed, "No available workers for nope")


@check
def many_threads_are_served():
    printed = run("fastchat.serve.test_throughput", "--controller-address", BASE_URL, "--model-name", MODEL,
                  "--n-thread", "4", "--max-new-tokens", "16", "--test-dispatch")
    holds(printed, "throughput:")


@check
def the_prompt_format_is_the_models():
    conversation = conversation_of(MODEL)
    conversation.append_message(conversation.roles[0], "What is the capital of France?")
    conversation.append_message(conversation.roles[1], None)
    equal(conversation.get_prompt(), "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
          "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n")


@check
def workers_cannot_register():
    answer = requests.post(BASE_URL + "/register_worker", json={"worker_name": "http://127.0.0.1:9", "check_heart_beat": True,
                                                              "worker_status": None})
    equal(answer.status_code, 403)
    beat = requests.post(BASE_URL + "/receive_heart_beat", json={"worker_name": "http://127.0.0.1:9", "queue_length": 0})
    equal(beat.json(), {"exist": False})


run_all()
