"""The responses of the OpenAI API, by its official client: `openai_responses.py BASE_URL MODEL`.

Runs with the 1.x and the 3.x line of the `openai` package. Checks named `words_…` are about what the built-in model knows.
"""

import json
import sys
from typing import Literal

import openai
import pydantic

from checks import check, equal, holds, raises, run_all

BASE_URL, MODEL = sys.argv[1], sys.argv[2]

client = openai.OpenAI(base_url=BASE_URL, api_key="unused", max_retries=0, timeout=120)

STORY = "Tell me a short story."
WEATHER = {"type": "function", "name": "weather", "strict": True, "parameters": {
    "type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}}, "required": ["city"],
    "additionalProperties": False}}


class Animal(pydantic.BaseModel):
    name: Literal["whale", "mouse"]


def ask(question="What is the capital of France?", **options):
    options.setdefault("temperature", 0)
    options.setdefault("max_output_tokens", 200)
    return client.responses.create(model=MODEL, input=question, **options)


@check
def words_capital_of_france():
    holds(ask().output_text, "Paris")


@check
def words_remember_a_name():
    first = ask("My name is Alice.")
    holds(ask("What is my name?", previous_response_id=first.id).output_text, "Alice")


@check
def a_response_has_every_field():
    response = ask(metadata={"a": "b"}, instructions="Be brief.")
    assert response.id.startswith("resp_"), response.id
    equal((response.object, response.status, response.model), ("response", "completed", MODEL))
    equal((response.error, response.incomplete_details), (None, None))
    equal((response.metadata, response.instructions), ({"a": "b"}, "Be brief."))
    equal((response.tools, response.tool_choice, response.parallel_tool_calls), ([], "auto", True))
    (message,) = response.output
    equal((message.type, message.role, message.status), ("message", "assistant", "completed"))
    equal((message.content[0].type, message.content[0].annotations), ("output_text", []))
    usage = response.usage
    equal(usage.total_tokens, usage.input_tokens + usage.output_tokens)
    assert usage.input_tokens_details.cached_tokens >= 0
    equal(usage.output_tokens_details.reasoning_tokens, 0)


@check
def items_of_a_conversation():
    response = client.responses.create(model=MODEL, temperature=0, max_output_tokens=50, input=[
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "input_text", "text": "What is the weather in Paris?"}]},
        {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{\"city\":\"Paris\"}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
    ])
    assert response.output_text


@check
def a_response_is_kept():
    response = ask(STORY)
    equal(client.responses.retrieve(response.id).output_text, response.output_text)
    (item,) = list(client.responses.input_items.list(response.id))
    equal((item.role, item.content[0].text), ("user", STORY))
    raises(openai.BadRequestError, lambda: client.responses.cancel(response.id))
    client.responses.delete(response.id)
    for call in (client.responses.retrieve, client.responses.delete, client.responses.cancel):
        raises(openai.NotFoundError, lambda: call(response.id))
    error = raises(openai.BadRequestError, lambda: ask(previous_response_id=response.id))
    equal(error.code, "previous_response_not_found")


@check
def a_response_is_not_kept():
    response = ask(store=False)
    raises(openai.NotFoundError, lambda: client.responses.retrieve(response.id))


@check
def input_items_come_in_pages():
    questions = [{"role": "user", "content": "Question %d." % number} for number in range(7)]
    response = client.responses.create(model=MODEL, input=questions, max_output_tokens=4)
    texts = [item.content[0].text for item in client.responses.input_items.list(response.id, limit=3, order="asc")]
    equal(texts, [question["content"] for question in questions])


@check
def a_stream_in_order():
    events = list(ask(STORY, stream=True))
    equal([event.sequence_number for event in events], list(range(len(events))))
    kinds = [event.type for event in events]
    equal(kinds[:4], ["response.created", "response.in_progress", "response.output_item.added",
                      "response.content_part.added"])
    equal(kinds[-4:], ["response.output_text.done", "response.content_part.done", "response.output_item.done",
                       "response.completed"])
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert len(deltas) > 3, "the answer came in one piece"
    final = events[-1].response
    equal("".join(deltas), final.output_text)
    equal(final.output_text, ask(STORY).output_text)
    equal(client.responses.retrieve(final.id).output_text, final.output_text)


@check
def the_stream_helper_of_the_client():
    with client.responses.stream(model=MODEL, input=STORY, temperature=0, max_output_tokens=200) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_response()
    assert {"response.output_text.delta", "response.completed"} <= kinds, kinds
    equal(final.output_text, ask(STORY).output_text)


@check
def an_answer_that_is_cut():
    response = ask(STORY, max_output_tokens=2)
    equal((response.status, response.incomplete_details.reason), ("incomplete", "max_output_tokens"))
    events = list(ask(STORY, max_output_tokens=2, stream=True))
    equal(events[-1].type, "response.incomplete")


@check
def a_call():
    for choice in ("required", {"type": "function", "name": "weather"}):
        response = ask("What is the weather?", tools=[WEATHER], tool_choice=choice, parallel_tool_calls=False)
        (call,) = response.output
        equal((call.type, call.name, call.status), ("function_call", "weather", "completed"))
        assert json.loads(call.arguments)["city"] in ("Paris", "Rome"), call
        answer = client.responses.create(model=MODEL, max_output_tokens=20, previous_response_id=response.id, input=[
            {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}])
        equal(answer.previous_response_id, response.id)


@check
def a_call_comes_in_parts():
    events = list(ask("What is the weather?", tools=[WEATHER], tool_choice="required", stream=True))
    arguments = "".join(event.delta for event in events if event.type == "response.function_call_arguments.delta")
    done = [event.arguments for event in events if event.type == "response.function_call_arguments.done"]
    equal(arguments, "".join(done))
    assert json.loads(done[0])["city"] in ("Paris", "Rome"), done


@check
def the_helper_parses_answers():
    response = client.responses.parse(
        model=MODEL, input="Name an animal.", text_format=Animal, temperature=0, max_output_tokens=200)
    assert isinstance(response.output_parsed, Animal), response


@check
def logprobs_when_included():
    response = ask(include=["message.output_text.logprobs"], top_logprobs=2)
    entries = response.output[0].content[0].logprobs
    assert entries and all(len(entry.top_logprobs) == 2 for entry in entries), entries


@check
def bad_values_are_bad_requests():
    cases = {
        "input": lambda: ask([]),
        "input[0].role": lambda: ask([{"role": "robot", "content": "x"}]),
        "temperature": lambda: ask(temperature=3),
        "max_output_tokens": lambda: ask(max_output_tokens=0),
        "tools[0].type": lambda: ask(tools=[{"type": "web_search"}]),
        "tool_choice": lambda: ask(tool_choice="required"),
        "background": lambda: ask(background=True),
        "text.format.type": lambda: ask(text={"format": {"type": "yaml"}}),
    }
    for param, call in cases.items():
        error = raises(openai.BadRequestError, call)
        equal((error.param, error.type), (param, "invalid_request_error"))
    error = raises(openai.BadRequestError, lambda: ask("word " * 50000))
    equal((error.code, error.param), ("context_length_exceeded", "input"))
    raises(openai.NotFoundError, lambda: client.responses.create(model="no-such-model", input="x"))
    raises(openai.NotFoundError, lambda: client.responses.create(model="no-such-model", input="x", stream=True))


if __name__ == "__main__":
    run_all()
