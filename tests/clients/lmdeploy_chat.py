"""lmdeploy's own client against a running server: `lmdeploy_chat.py BASE_URL MODEL RELEASE`.

RELEASE says which release's client module is on PYTHONPATH: the older ones have sessions, 0.17.0 has only the OpenAI-like calls.
The client never looks at a status code and reads every answer line by line, so these checks also hold the server to one line of
JSON per answer and to LF line ends.
"""

import inspect
import json
import sys
import threading
import time

import requests
from lmdeploy.serve.openai import api_client

from checks import check, equal, holds, run_all

BASE_URL, MODEL = sys.argv[1], sys.argv[2]
RELEASE = tuple(int(part) for part in sys.argv[3].split(".")[:3])
HAS_SESSIONS = RELEASE < (0, 10)
# Releases up to 0.1.0 cut six characters before they look for `[DONE]`, so no server can stream completions to them.
STREAMS_COMPLETIONS = RELEASE > (0, 1, 0)

client = api_client.APIClient(BASE_URL)
CAPITAL = "What is the capital of France?"
FIELDS = ["finish_reason", "history_tokens", "input_tokens", "text", "tokens"]


def session_check(function):
    return check(function) if HAS_SESSIONS else function


def interactive(prompt, **options):
    options.setdefault("top_k", 1)
    return list(client.chat_interactive_v1(prompt, **options))


def tokens_max(count):
    """At most COUNT tokens of a completion: the last release also sends its own default under a newer name, which wins."""
    names = inspect.signature(client.completions_v1).parameters
    return {name: count for name in ("max_tokens", "max_completion_tokens") if name in names}


def one(answers):
    equal(len(answers), 1)
    return answers[0]


@check
def models_are_listed():
    assert MODEL in client.available_models, client.available_models
    assert MODEL in api_client.get_model_list(BASE_URL + "/v1/models")


@check
def text_is_encoded():
    ids, length = client.encode("Hello there")
    equal(length, len(ids))
    bare, _ = client.encode("Hello there", add_bos=False)
    equal(ids[len(ids) - len(bare):], bare)
    assert len(ids) - len(bare) in (0, 1)
    many, lengths = client.encode(["Hello there", "You"])
    equal(lengths, [len(item) for item in many])
    equal(many[0], ids)
    equal(list(client.encode("", add_bos=False)), [[], 0])


@check
def encoding_is_additive():
    text = "Hi, pls intro yourself."
    ids, length = client.encode(text, add_bos=False)
    many, lengths = client.encode(text * 100, add_bos=False)
    equal(many, ids * 100)
    equal(lengths, length * 100)
    templated, _ = client.encode(text, do_preprocess=True)
    assert len(templated) > length, templated


@check
def a_chat():
    answer = one(list(client.chat_completions_v1(MODEL, [{"role": "user", "content": CAPITAL}], temperature=0.01)))
    choice = one(answer["choices"])
    equal(choice["message"]["role"], "assistant")
    holds(choice["message"]["content"], "Paris")
    equal(choice["finish_reason"], "stop")
    equal(answer["usage"]["total_tokens"], answer["usage"]["prompt_tokens"] + answer["usage"]["completion_tokens"])


@check
def a_streamed_chat():
    messages = [{"role": "user", "content": CAPITAL}]
    pieces = list(client.chat_completions_v1(MODEL, messages, temperature=0.01, stream=True))
    for piece in pieces:
        choice = one(piece["choices"])
        equal(choice["delta"]["role"], "assistant")
        assert isinstance(choice["delta"]["content"], str), choice
    holds("".join(piece["choices"][0]["delta"]["content"] for piece in pieces), "Paris")
    equal(pieces[-1]["choices"][0]["delta"]["content"], "")
    equal(pieces[-1]["choices"][0]["finish_reason"], "stop")
    assert all(piece["choices"][0]["finish_reason"] is None for piece in pieces[:-1])


@check
def a_chat_of_one_raw_prompt():
    answer = one(list(client.chat_completions_v1(MODEL, "Paris is", max_tokens=4)))
    assert isinstance(answer["choices"][0]["message"]["content"], str)


@check
def a_chat_ends_at_a_stop_string():
    if RELEASE <= (0, 1, 0):
        return
    messages = [{"role": "user", "content": "Tell me a short story."}]
    greedy = {"temperature": 0.01, "top_p": 0.01, "max_tokens": 60}
    whole = one(list(client.chat_completions_v1(MODEL, messages, **greedy)))["choices"][0]["message"]["content"]
    word = " " + whole.split()[3]
    cut = one(list(client.chat_completions_v1(MODEL, messages, stop=[word], **greedy)))["choices"][0]
    equal(cut["message"]["content"], whole[: whole.index(word)])
    equal(cut["finish_reason"], "stop")


@check
def a_completion():
    answer = one(list(client.completions_v1(MODEL, "The capital of France is", **tokens_max(5))))
    assert isinstance(answer["choices"][0]["text"], str)
    assert answer["choices"][0]["finish_reason"] in ("stop", "length")
    assert answer["usage"]["completion_tokens"] <= 5


@check
def a_streamed_completion():
    if not STREAMS_COMPLETIONS:
        return
    pieces = list(client.completions_v1(MODEL, "The capital of France is", stream=True, **tokens_max(5)))
    assert all(isinstance(one(piece["choices"])["text"], str) for piece in pieces)
    assert pieces[-1]["choices"][0]["finish_reason"] in ("stop", "length")


@check
def extra_arguments_arrive_nested_and_do_no_harm():
    answer = one(list(client.chat_completions_v1(MODEL, [{"role": "user", "content": CAPITAL}], seed=5, frobnicate=None)))
    assert answer["choices"]


@check
def errors_are_one_line_with_both_shapes():
    answer = one(list(client.chat_completions_v1("no-such-model", [{"role": "user", "content": "x"}])))
    equal(answer["object"], "error")
    equal(answer["code"], 404)
    equal(answer["message"], "The model `no-such-model` does not exist.")
    equal(answer["error"]["code"], "model_not_found")
    equal(answer["error"]["message"], answer["message"])


@check
def the_messages_that_its_own_tests_compare():
    if RELEASE < (0, 4):
        return
    messages = [{"role": "user", "content": "x"}]
    for options, message in (
        ({"n": 0}, "The n `0` must be a positive int."),
        ({"top_p": 1.01}, "The top_p `1.01` must be in (0, 1]."),
        ({"top_p": 0}, "The top_p `0` must be in (0, 1]."),
        ({"top_k": -3}, "The top_k `-3` cannot be a negative integer."),
        ({"temperature": 2.01}, "The temperature `2.01` must be in [0, 2]"),
    ):
        if not set(options) <= set(inspect.signature(client.chat_completions_v1).parameters):
            continue
        answer = one(list(client.chat_completions_v1(MODEL, messages, **options)))
        equal(answer["code"], 400)
        # Python prints a default that is a float with its point.
        equal(answer["message"].replace("`0.0`", "`0`"), message)


# Sessions.


@session_check
def one_turn_without_a_session():
    answer = one(interactive(CAPITAL))
    equal(sorted(answer), FIELDS)
    holds(answer["text"], "Paris")
    equal(answer["finish_reason"], "stop")
    equal(answer["history_tokens"], 0)
    assert answer["tokens"] > 0 and answer["input_tokens"] > 0


@session_check
def one_streamed_turn():
    pieces = interactive(CAPITAL, stream=True)
    assert len(pieces) > 1
    for piece in pieces:
        equal(sorted(piece), FIELDS)
    holds("".join(piece["text"] for piece in pieces), "Paris")
    equal([piece["finish_reason"] for piece in pieces], [None] * (len(pieces) - 1) + ["stop"])
    counts = [piece["tokens"] for piece in pieces]
    equal(counts, sorted(counts))
    equal(len({piece["input_tokens"] for piece in pieces}), 1)


@session_check
def a_session_remembers_a_name():
    first = one(interactive("My name is Alice.", session_id=101, interactive_mode=True))
    equal(first["history_tokens"], 0)
    second = one(interactive("What is my name?", session_id=101, interactive_mode=True))
    holds(second["text"], "Alice")
    used = first["input_tokens"] + first["tokens"]
    assert used - 1 <= second["history_tokens"] <= used + 2, (first, second)
    client.end_session(101)
    again = one(interactive("What is my name?", session_id=101, interactive_mode=True))
    equal(again["history_tokens"], 0)
    assert "alice" not in again["text"].lower(), again
    client.end_session(101)


@session_check
def the_history_is_what_the_turns_before_have_counted():
    for stream in (False, True):
        history = 0
        for _ in range(3):
            last = interactive("Shanghai is", session_id=109, interactive_mode=True, stream=stream, request_output_len=40)[-1]
            equal(last["history_tokens"], history)
            assert last["tokens"] > 0 and last["input_tokens"] > 0, last
            history += last["input_tokens"] + last["tokens"]
        client.end_session(109)


@session_check
def the_older_path_is_an_alias():
    pieces = list(api_client.get_streaming_response(
        CAPITAL, BASE_URL + "/generate", 110, request_output_len=40, interactive_mode=True))
    assert pieces[-1][2] in ("stop", "length"), pieces
    assert "".join(piece[0] for piece in pieces)
    assert one(interactive("Hello!", session_id=110, interactive_mode=True))["history_tokens"] > 0
    client.end_session(110)


@session_check
def bad_sampling_is_refused_in_its_words():
    answer = one(list(client.chat_interactive_v1("Hi", top_k=-1)))
    equal((answer["code"], answer["object"]), (400, "error"))
    equal(answer["message"], "The top_k `-1` cannot be a negative integer.")


@session_check
def chat_streams_a_session():
    pieces = list(client.chat("My name is Robert.", session_id=102, stream=True, top_k=1))
    equal(pieces[-1][2], "stop")
    text = "".join(piece[0] for piece in client.chat("What is my name?", session_id=102, stream=True, top_k=1))
    holds(text, "Robert")
    client.end_session(102)


@session_check
def session_zero_is_a_session():
    one(interactive("My name is Alice.", session_id=0, interactive_mode=True))
    assert one(interactive("Hello!", session_id=0, interactive_mode=True))["history_tokens"] > 0
    client.end_session(0)


@session_check
def sessions_do_not_mix():
    names = ["Alice", "Robert", "Maria", "Peter"]
    for index, name in enumerate(names):
        one(interactive("My name is %s." % name, session_id=200 + index, interactive_mode=True))
    for index, name in enumerate(names):
        holds(one(interactive("What is my name?", session_id=200 + index, interactive_mode=True))["text"], name)
        client.end_session(200 + index)


@session_check
def a_last_turn_sees_the_history_and_closes_it():
    one(interactive("My name is Alice.", session_id=103, interactive_mode=True))
    last = one(interactive("What is my name?", session_id=103, interactive_mode=False))
    holds(last["text"], "Alice")
    assert last["history_tokens"] > 0
    equal(one(interactive("Hello!", session_id=103, interactive_mode=True))["history_tokens"], 0)
    client.end_session(103)


@session_check
def ending_an_unknown_session_is_no_error():
    answer = one(interactive("", session_id=999, request_output_len=0, interactive_mode=False))
    equal(answer, {"text": "", "tokens": 0, "input_tokens": 0, "history_tokens": 0, "finish_reason": "stop"})


@session_check
def a_history_is_loaded_again():
    said = one(interactive("My name is Alice."))["text"]
    history = [{"role": "user", "content": "My name is Alice."}, {"role": "assistant", "content": said}]
    loaded = one(interactive(history, session_id=104, request_output_len=0, interactive_mode=True))
    equal(loaded["text"], "")
    answer = one(interactive("What is my name?", session_id=104, interactive_mode=True))
    assert answer["history_tokens"] > 0
    holds(answer["text"], "Alice")
    client.end_session(104)


@session_check
def a_turn_past_the_context_is_no_http_error():
    answer = interactive("word " * 20000, session_id=105, interactive_mode=True, stream=True)
    answer = one(answer)
    equal((answer["text"], answer["tokens"], answer["finish_reason"]), ("", 0, "length"))
    client.end_session(105)


@session_check
def a_running_turn_is_cancelled():
    ends = {}

    def talk():
        for _, tokens, reason in api_client.get_streaming_response(
                "Tell me a short story.", BASE_URL + "/v1/chat/interactive", 106, request_output_len=None,
                interactive_mode=True, ignore_eos=True):
            ends["tokens"], ends["reason"] = tokens, reason
            started.set()

    started = threading.Event()
    thread = threading.Thread(target=talk)
    thread.start()
    assert started.wait(60)
    key = "stop" if RELEASE <= (0, 1, 0) else "cancel"
    list(api_client.get_streaming_response(
        "", BASE_URL + "/v1/chat/interactive", 106, request_output_len=0, interactive_mode=True, **{key: True}))
    thread.join(60)
    assert not thread.is_alive(), "the cancelled turn still runs"
    assert ends["reason"] is not None, ends
    client.end_session(106)


@session_check
def two_turns_of_one_session_do_not_mix():
    answers = []

    def talk(prompt):
        answers.append(one(interactive(prompt, session_id=107, interactive_mode=True)))

    one(interactive("My name is Alice.", session_id=107, interactive_mode=True))
    threads = [threading.Thread(target=talk, args=["What is my name?"]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    equal(len(answers), 2)
    # Either waited for the other, and so has the longer history, or was refused.
    whole = [answer for answer in answers if answer.get("object") != "error"]
    assert whole, answers
    if len(whole) == 2:
        assert whole[0]["history_tokens"] != whole[1]["history_tokens"], whole
    client.end_session(107)


@session_check
def a_client_that_leaves_frees_its_session():
    response = requests.post(
        BASE_URL + "/v1/chat/interactive", stream=True,
        json={"prompt": "Tell me a short story.", "session_id": 108, "interactive_mode": True, "stream": True, "ignore_eos": True})
    line = next(response.iter_lines(delimiter=b"\n"))
    json.loads(line)
    response.close()
    started = time.monotonic()
    one(interactive("Hello!", session_id=108, interactive_mode=True))
    assert time.monotonic() - started < 30, "the abandoned turn still runs"
    client.end_session(108)


if __name__ == "__main__":
    run_all()
