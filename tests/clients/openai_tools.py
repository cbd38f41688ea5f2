"""Tools, shapes of answers and the fields of other servers, by the official OpenAI client: `openai_tools.py BASE_URL MODEL`.

Runs with the 1.x and the 3.x line of the `openai` package. What a model says in a call is up to it; that it is a call, and that it
fits its schema, is up to the server.
"""

import json
import re
import sys
from typing import Literal

import openai
import pydantic

from checks import check, equal, raises, run_all

BASE_URL, MODEL = sys.argv[1], sys.argv[2]

client = openai.OpenAI(base_url=BASE_URL, api_key="unused", max_retries=0, timeout=120)

QUESTION = [{"role": "user", "content": "What is the weather in Paris?"}]


class Weather(pydantic.BaseModel):
    """The weather of a city."""

    city: Literal["Paris", "Rome"]
    days: Literal[1, 2, 3]


class Animal(pydantic.BaseModel):
    name: Literal["whale", "mouse"]
    is_large: bool


WEATHER = {"type": "function", "function": {
    "name": "weather", "description": "The weather of a city", "strict": True, "parameters": {
        "type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}, "days": {"enum": [1, 2, 3]}},
        "required": ["city", "days"], "additionalProperties": False}}}
CLOCK = {"type": "function", "function": {"name": "clock"}}


def chat(**options):
    options.setdefault("messages", QUESTION)
    options.setdefault("temperature", 0)
    options.setdefault("max_tokens", 200)
    return client.chat.completions.create(model=MODEL, **options)


def extra(**fields):
    return chat(extra_body=fields)


def fits(call):
    """That a call of `weather` fits its schema."""
    arguments = json.loads(call.arguments)
    equal(sorted(arguments), ["city", "days"])
    assert arguments["city"] in ("Paris", "Rome") and arguments["days"] in (1, 2, 3), arguments


# Tools.


@check
def a_call_can_be_required():
    for choice in ("required", {"type": "function", "function": {"name": "weather"}},
                   {"type": "allowed_tools", "allowed_tools": {
                       "mode": "required", "tools": [{"type": "function", "function": {"name": "weather"}}]}}):
        tools = [WEATHER] if choice == "required" else [WEATHER, CLOCK]
        answer = chat(tools=tools, tool_choice=choice, parallel_tool_calls=False)
        (call,) = answer.choices[0].message.tool_calls
        equal(answer.choices[0].finish_reason, "tool_calls")
        equal(answer.choices[0].message.content, None)
        equal((call.type, call.function.name), ("function", "weather"))
        assert call.id.startswith("call_"), call.id
        fits(call.function)


@check
def a_call_comes_in_parts():
    name, arguments, ids, reasons = "", "", [], []
    for piece in chat(tools=[WEATHER], tool_choice="required", parallel_tool_calls=False, stream=True):
        choice = piece.choices[0]
        reasons.append(choice.finish_reason)
        for call in choice.delta.tool_calls or []:
            equal(call.index, 0)
            ids.extend([call.id] if call.id else [])
            name += call.function.name or ""
            arguments += call.function.arguments or ""
    equal((name, len(ids), reasons[-1]), ("weather", 1, "tool_calls"))
    fits(type("Call", (), {"arguments": arguments}))


@check
def no_call_where_none_is_wanted():
    answer = chat(tools=[WEATHER], tool_choice="none")
    assert not answer.choices[0].message.tool_calls
    assert answer.choices[0].message.content


@check
def a_call_is_answered():
    call = chat(tools=[WEATHER], tool_choice="required").choices[0].message
    messages = QUESTION + [call.model_dump(exclude_none=True)]
    for made in call.tool_calls:
        messages.append({"role": "tool", "tool_call_id": made.id, "content": "sunny"})
    assert chat(messages=messages, tools=[WEATHER], tool_choice="none").choices[0].message.content


@check
def the_older_form_of_a_call():
    answer = chat(functions=[WEATHER["function"]], function_call={"name": "weather"})
    equal(answer.choices[0].finish_reason, "function_call")
    fits(answer.choices[0].message.function_call)


@check
def the_helpers_parse_calls():
    tool = openai.pydantic_function_tool(Weather, name="weather")
    answer = client.chat.completions.parse(
        model=MODEL, messages=QUESTION, tools=[tool], tool_choice="required", parallel_tool_calls=False, temperature=0,
        max_tokens=200)
    (call, *_) = answer.choices[0].message.tool_calls
    assert isinstance(call.function.parsed_arguments, Weather), call
    with client.chat.completions.stream(
            model=MODEL, messages=QUESTION, tools=[tool], tool_choice="required", parallel_tool_calls=False, temperature=0,
            max_tokens=200) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert "tool_calls.function.arguments.done" in kinds, kinds
    assert isinstance(final.choices[0].message.tool_calls[0].function.parsed_arguments, Weather)


# Shapes.


@check
def the_helpers_parse_answers():
    question = [{"role": "user", "content": "Name an animal."}]
    answer = client.chat.completions.parse(
        model=MODEL, messages=question, response_format=Animal, temperature=0, max_tokens=200)
    assert isinstance(answer.choices[0].message.parsed, Animal), answer
    with client.chat.completions.stream(
            model=MODEL, messages=question, response_format=Animal, temperature=0, max_tokens=200) as stream:
        for _ in stream:
            pass
        assert isinstance(stream.get_final_completion().choices[0].message.parsed, Animal)


@check
def any_object():
    schema = {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"], "additionalProperties": False}
    for shape in ({"guided_json": schema}, {"structured_outputs": {"json": schema}}, {"guided_json": json.dumps(schema)}):
        assert isinstance(json.loads(extra(**shape).choices[0].message.content)["a"], bool)


@check
def one_of_several_texts():
    for shape in ({"guided_choice": ["red", "green"]}, {"structured_outputs": {"choice": ["red", "green"]}}):
        assert extra(**shape).choices[0].message.content in ("red", "green")


@check
def a_pattern():
    for shape in ({"guided_regex": "[a-c]{3}[0-9]"}, {"structured_outputs": {"regex": "[a-c]{3}[0-9]"}},
                  {"response_format": {"type": "regex_schema", "regex_schema": "[a-c]{3}[0-9]"}}):
        text = extra(**shape).choices[0].message.content
        assert re.fullmatch("[a-c]{3}[0-9]", text), text


@check
def shapes_of_a_completion():
    answer = client.completions.create(
        model=MODEL, prompt="The grass is", temperature=0, extra_body={"guided_choice": [" green", " red"]})
    assert answer.choices[0].text in (" green", " red"), answer


# What other servers tell and take.


@check
def the_prompt_in_tokens():
    answer = extra(prompt_logprobs=1, return_token_ids=True, max_tokens=4).model_dump()
    equal(len(answer["prompt_logprobs"]), len(answer["prompt_token_ids"]))
    equal(len(answer["prompt_token_ids"]), answer["usage"]["prompt_tokens"])
    equal(answer["prompt_logprobs"][0], None)
    equal(len(answer["choices"][0]["token_ids"]), answer["usage"]["completion_tokens"])
    for token, scores in zip(answer["prompt_token_ids"][1:], answer["prompt_logprobs"][1:]):
        assert scores[str(token)]["logprob"] <= 1e-6, scores


@check
def tokens_by_their_ids():
    answer = chat(logprobs=True, extra_body={"return_tokens_as_token_ids": True})
    assert all(entry.token.startswith("token_id:") for entry in answer.choices[0].logprobs.content)


@check
def a_template_of_the_request():
    answer = extra(chat_template="{{ messages[0].content }} {{ x }}", chat_template_kwargs={"x": "one"}, max_tokens=4)
    assert answer.usage.prompt_tokens > 0


@check
def tokens_that_alone_are_allowed():
    ids = extra(return_token_ids=True, max_tokens=2).model_dump()["choices"][0]["token_ids"]
    answer = extra(allowed_token_ids=ids[:1], max_tokens=3, return_token_ids=True, ignore_eos=True).model_dump()
    equal(set(answer["choices"][0]["token_ids"]), set(ids[:1]))


@check
def counts_in_detail():
    usage = chat(max_tokens=4).usage
    assert 0 <= usage.prompt_tokens_details.cached_tokens <= usage.prompt_tokens, usage
    equal(usage.completion_tokens_details.reasoning_tokens, 0)


@check
def bad_values_are_bad_requests():
    cases = {
        "tool_choice": lambda: chat(tool_choice="required"),
        "tools": lambda: chat(tools=[WEATHER, WEATHER]),
        "tools[0].type": lambda: chat(tools=[{"type": "custom", "custom": {"name": "x"}}]),
        "tools[0].function.name": lambda: chat(tools=[{"type": "function", "function": {"name": "no name"}}]),
        "function_call": lambda: chat(functions=[CLOCK["function"]], function_call={"name": "weather"}),
        "response_format.type": lambda: chat(response_format={"type": "yaml"}),
        "response_format.json_schema": lambda: chat(response_format={"type": "json_schema"}),
        "use_beam_search": lambda: chat(n=2, extra_body={"use_beam_search": True}),
        "prompt_logprobs": lambda: extra(prompt_logprobs=-1),
        "suffix": lambda: client.completions.create(model=MODEL, prompt="a", suffix="b"),
    }
    for param, call in cases.items():
        error = raises(openai.BadRequestError, call)
        equal((error.param, error.type), (param, "invalid_request_error"))


if __name__ == "__main__":
    run_all()
