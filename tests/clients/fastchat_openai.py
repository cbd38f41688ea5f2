"""The openai package of FastChat's days against FastChat's dialect: `fastchat_openai.py BASE_URL MODEL NAMES`.

NAMES are further names that the server is configured to answer to, with commas, as FastChat's manual for LangChain has them.
"""

import sys

import openai
import requests

from checks import check, equal, holds, raises, run_all

BASE_URL, MODEL, NAMES = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
openai.api_base = BASE_URL + "/v1"
openai.api_key = "EMPTY"

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


@check
def models_are_listed():
    names = [card.id for card in openai.Model.list().data]
    assert MODEL in names and all(name in names for name in NAMES), names


@check
def a_question_is_answered():
    answer = openai.ChatCompletion.create(model=MODEL, messages=QUESTION, temperature=0)
    holds(answer.choices[0].message.content, "Paris")
    equal(answer.choices[0].finish_reason, "stop")
    equal(list(answer.keys()), ["id", "object", "created", "model", "choices", "usage"])


@check
def an_answer_streams():
    text, reasons = "", []
    for chunk in openai.ChatCompletion.create(model=MODEL, messages=QUESTION, temperature=0, stream=True):
        choice = chunk.choices[0]
        text += choice.delta.get("content", "")
        reasons.append(choice.finish_reason)
    holds(text, "Paris")
    equal(reasons[-1], "stop")
    equal(set(reasons[:-1]), {None})


@check
def other_names_are_answered():
    for name in NAMES:
        answer = openai.ChatCompletion.create(model=name, messages=QUESTION, temperature=0)
        equal(answer.model, name)
        holds(answer.choices[0].message.content, "Paris")


@check
def prompts_are_continued():
    prompt = "Once upon a time"
    answer = openai.Completion.create(model=MODEL, prompt=prompt, logprobs=1, max_tokens=12, temperature=0)
    logprobs = answer.choices[0].logprobs
    equal(len(logprobs.token_logprobs), len(logprobs.tokens))
    streamed = ""
    for chunk in openai.Completion.create(model=MODEL, prompt=prompt, max_tokens=12, temperature=0, stream=True):
        streamed += chunk.choices[0].text
    equal(streamed, answer.choices[0].text)


@check
def several_prompts_and_choices():
    answer = openai.Completion.create(model=MODEL, prompt=["Hello", "Once upon"], n=2, max_tokens=4)
    equal([choice.index for choice in answer.choices], [0, 1, 2, 3])


@check
def refusals_are_errors_of_the_package():
    kinds = openai.error.OpenAIError
    error = raises(kinds, lambda: openai.ChatCompletion.create(model="nope", messages=QUESTION))
    assert "40301" in str(error) and "400" in str(error), error
    error = raises(kinds, lambda: openai.ChatCompletion.create(model=MODEL, messages=QUESTION, temperature=3))
    assert "40302" in str(error), error


@check
def the_manuals_requests_are_answered():
    answer = requests.post(BASE_URL + "/v1/chat/completions",
                           json={"model": MODEL, "messages": [{"role": "user", "content": "Hello! What is your name?"}]})
    equal(answer.status_code, 200)
    answer = requests.post(BASE_URL + "/v1/completions",
                           json={"model": MODEL, "prompt": "Once upon a time", "max_tokens": 41, "temperature": 0.5})
    equal(answer.status_code, 200)
    answer = requests.post(BASE_URL + "/api/v1/token_check",
                           json={"prompts": [{"model": MODEL, "prompt": "Hello", "max_tokens": 5}]})
    equal(answer.json()["prompts"][0]["fits"], True)


run_all()
