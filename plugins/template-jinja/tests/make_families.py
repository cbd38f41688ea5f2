"""Writes families.json beside this file: what transformers makes of conversations by the templates in families/.

The templates are written for this test, in the formats of the model families that they are named after.
Run with transformers and jinja2 installed: python plugins/template-jinja/tests/make_families.py
"""

import datetime
import json
import pathlib

import jinja2
import transformers
from transformers.utils import chat_template_utils
from transformers.utils.chat_template_utils import render_jinja_template

NOW = 1_700_000_000


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc)


chat_template_utils.datetime = Clock
HERE = pathlib.Path(__file__).parent

PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Où? 城市"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        "days": {"type": "array", "items": {"type": "integer"}},
        "limits": {"type": "object", "properties": {"low": {"type": "number", "default": -0.5}}},
    },
    "required": ["city"],
}
TOOLS = [
    {"type": "function", "function": {"name": "weather", "description": "It's <b>weather</b> & \"more\"", "parameters": PARAMETERS}},
    {"type": "function", "function": {"name": "clock", "description": "The time", "parameters": {"type": "object", "properties": {}}}},
]


def call(index, name, arguments):
    return {"id": f"call{index:05}", "type": "function", "function": {"name": name, "arguments": arguments}}


ONE = call(1, "weather", {"city": "Paris"})
TWO = call(2, "weather", {"city": "Köln\n", "days": [1, 2], "limits": {"low": 1e20, "high": 0.1}, "unit": None})
EMPTY = call(3, "clock", {})


def say(role, content, **more):
    return {"role": role, "content": content, **more}


def result(index, content):
    return say("tool", content, tool_call_id=f"call{index:05}")


PLAIN = [
    [say("user", "Hello")],
    [say("system", "Be brief. "), say("user", " 你好 🙂\n")],
    [say("user", "a"), say("assistant", "b\n\nc"), say("user", "d"), say("assistant", " e "), say("user", "<|im_end|>{{ 7 }}")],
    [say("system", "s"), say("user", "x"), say("assistant", "The answer is ")],
    [say("user", "a"), say("user", "b")],
]
THINKING = [
    [say("user", "a"), say("assistant", "<think>\nhm\n</think>\n\nb"), say("user", "c")],
    [say("user", "a"), say("assistant", "b", reasoning_content="\nwhy\n"), say("user", "c"), say("assistant", "d", reasoning_content="how")],
]
# The ones that tests look for the marks of calls in.
ONE_CALL = [say("system", "s"), say("user", "weather?"), say("assistant", "", tool_calls=[ONE])]
TWO_CALLS = [say("system", "s"), say("user", "weather?"), say("assistant", "", tool_calls=[ONE, TWO])]
CALLS = [
    ONE_CALL,
    TWO_CALLS,
    ONE_CALL + [result(1, "rain")],
    TWO_CALLS + [result(1, "rain"), result(2, '{"t": 7}'), say("assistant", "It rains."), say("user", "Thanks")],
    [say("user", "time?"), say("assistant", "", tool_calls=[EMPTY], reasoning_content="look it up"), result(3, "noon")],
    [say("user", "no calls")],
]
IMAGES = [
    [say("user", [{"type": "image", "image": "0"}, {"type": "text", "text": "what? "}])],
    [
        say("system", "s"),
        say("user", [{"type": "text", "text": "one"}, {"type": "image", "image": "0"}, {"type": "image", "image": "1"}]),
        say("assistant", "two"),
        say("user", [{"type": "text", "text": "and"}, {"type": "video", "video": "2"}]),
    ],
]

PLAIN_ONLY = ["llama2", "mixtral", "gemma2", "phi3", "phi4", "deepseek-v2.5", "yi", "falcon", "zephyr", "olmo2", "stablelm2", "vicuna", "baichuan2", "minicpm"]
WITH_TOOLS = [
    "llama3.1", "qwen2.5", "qwen3", "mistral-v3", "mistral-nemo", "magistral", "phi4-mini", "deepseek-v3", "deepseek-v3.1", "internlm2.5", "glm4", "glm4.5",
    "command-r", "command-r7b", "granite3", "smollm3", "harmony", "nemotron", "functionary", "minimax",
]
WITH_THINKING = ["qwen3", "deepseek-r1", "deepseek-v3.1", "magistral", "glm4.5", "smollm3", "harmony", "nemotron"]
WITH_IMAGES = ["qwen2.5-vl", "gemma3", "magistral"]
VARIABLES = {
    "llama3.1": [{"date_string": "1 Jan 2025"}, {"tools_in_user_message": False}, {"custom_tools": [{"a": [1.0, True, None]}]}],
    "qwen2.5-vl": [{"add_vision_id": True}],
    "qwen3": [{"enable_thinking": False}, {"enable_thinking": True}],
    "glm4.5": [{"enable_thinking": False}],
    "smollm3": [{"enable_thinking": False}, {"xml_tools": [{"name": "x"}]}],
    "deepseek-v3.1": [{"thinking": True}],
    "granite3": [{"controls": {"length": "short", "originality": None}}],
    "harmony": [{"reasoning_effort": "high"}],
}

spoken, cases = [], []
for path in sorted((HERE / "families").glob("*.jinja")):
    name, template = path.stem, path.read_text()
    conversations = [(messages, None) for messages in PLAIN]
    conversations += [(messages, TOOLS) for messages in CALLS if name in WITH_TOOLS]
    conversations += [(messages, None) for messages in THINKING if name in WITH_THINKING]
    conversations += [(messages, None) for messages in IMAGES if name in WITH_IMAGES]
    assert len(conversations) > len(PLAIN) or name in PLAIN_ONLY, name
    for index, (messages, tools) in enumerate(conversations):
        ends_with_answer = messages[-1]["role"] == "assistant"
        modes = [(not ends_with_answer, False, {})]
        if ends_with_answer and "tool_calls" not in messages[-1]:
            modes.append((False, True, {}))
        if index == 0:
            modes.append((False, False, {}))
        if index in (0, 1, 5) or tools and len(messages) == 1 or not isinstance(messages[-1]["content"], str):
            modes += [(True, False, variables) for variables in VARIABLES.get(name, [])]
        for generate, resume, variables in modes:
            try:
                prompt = render_jinja_template(
                    [messages], tools=tools, chat_template=template, add_generation_prompt=generate,
                    continue_final_message=resume, bos_token="<s>", eos_token="</s>", **variables,
                )[0][0]
            except (jinja2.exceptions.TemplateError, ValueError) as error:
                prompt = None
                print(f"{name} {index}: {str(error)[:100]!r}")
            if messages not in spoken:
                spoken.append(messages)
            cases.append({
                "template": name, "conversation": spoken.index(messages), "has_tools": tools is not None,
                "add_generation_prompt": generate, "continue_final_message": resume, "variables": variables, "prompt": prompt,
            })
made = f"transformers {transformers.__version__}, jinja2 {jinja2.__version__}"


def lines(items):
    """An item on a line."""
    return "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in items) + "\n]"


(HERE / "families.json").write_text(
    f'{{"made_with": {json.dumps(made)}, "now_s": {NOW}, "tools": {lines(TOOLS)},\n'
    f'"conversations": {lines(spoken)},\n"cases": {lines(cases)}}}\n'
)
print(len(cases), "cases")
