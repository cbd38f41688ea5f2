"""Writes golden.json beside this file: templates, what they are given, and what transformers makes of it.

The templates are written for this test; each leans on something that chat templates of published models lean on.
Run with transformers and jinja2 installed: python plugins/template-jinja/tests/make_golden.py
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

TEMPLATES = {
    "whitespace": """
{%- for message in messages %}
    {% if message.role == 'user' %}
  U: {{ message.content }}
    {%- else %}

  {{ message['role'] }}: {{ message['content'] | trim }}
    {% endif %}
{% endfor %}
{{- 'A:' if add_generation_prompt }}
""",
    "tools": """{%- if tools %}
{{- '<|im_start|>system\\n' }}{%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
{{- "# Tools\\n<tools>" }}{%- for tool in tools %}{{- "\\n" }}{{- tool | tojson }}{%- endfor %}{{- "\\n</tools><|im_end|>\\n" }}
{%- else %}{%- if messages[0].role == 'system' %}{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}{%- endif %}{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
  {%- set index = (messages|length - 1) - loop.index0 %}
  {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
    {%- set ns.multi_step_tool = false %}{%- set ns.last_query_index = index %}
  {%- endif %}
{%- endfor %}
{%- for message in messages %}
  {%- if message.content is string %}{%- set content = message.content %}{%- else %}{%- set content = '' %}{%- endif %}
  {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
    {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
  {%- elif message.role == "assistant" %}
    {%- set reasoning_content = '' %}
    {%- if message.reasoning_content is string %}{%- set reasoning_content = message.reasoning_content %}
    {%- elif '</think>' in content %}
      {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
      {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {%- if loop.index0 > ns.last_query_index and (loop.last or reasoning_content) %}
      {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
    {%- else %}{{- '<|im_start|>' + message.role + '\\n' + content }}{%- endif %}
    {%- if message.tool_calls %}{%- for tool_call in message.tool_calls %}
      {%- if (loop.first and content) or (not loop.first) %}{{- '\\n' }}{%- endif %}
      {%- if tool_call.function %}{%- set tool_call = tool_call.function %}{%- endif %}
      {{- '<tool_call>\\n{"name": "' }}{{- tool_call.name }}{{- '", "arguments": ' }}
      {%- if tool_call.arguments is string %}{{- tool_call.arguments }}{%- else %}{{- tool_call.arguments | tojson }}{%- endif %}
      {{- '}\\n</tool_call>' }}
    {%- endfor %}{%- endif %}
    {{- '<|im_end|>\\n' }}
  {%- elif message.role == "tool" %}
    {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}{{- '<|im_start|>user' }}{%- endif %}
    {{- '\\n<tool_response>\\n' }}{{- content }}{{- '\\n</tool_response>' }}
    {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}{{- '<|im_end|>\\n' }}{%- endif %}
  {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}
  {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
{%- endif %}""",
    "macros": """{{ bos_token }}{%- set today = strftime_now("%d %b %Y") %}{%- if not date_string is defined %}{% set date_string = today %}{% endif %}
{%- macro line(key, value, depth=0) -%}{{ '  ' * depth }}{{ key }}={{ value|upper }};{%- endmacro -%}
{%- macro type_of(parameter) -%}
{%- if parameter.type == "array" -%}{{ "list[" + type_of(parameter["items"]) + "]" }}
{%- elif parameter.type is defined -%}{{ {"string": "str", "integer": "int"}.get(parameter.type, "Any") }}
{%- else -%}Any{%- endif -%}
{%- endmacro -%}
{{- line('date', date_string) -}}{{ line('n', messages|length|string, depth=2) }}
{%- for tool in tools or [] %}{%- for name, parameter in tool.function.parameters.properties.items() %}
{{ loop.index }} {{ name }}: {{ type_of(parameter) }}{{ "," if not loop.last }}
{%- endfor %}{%- endfor %}
{%- for message in messages if message.role != 'system' %}{% if loop.index > 3 %}{% break %}{% endif %}{% if not message.content %}{% continue %}{% endif %}
[{{ loop.index }}/{{ loop.length }}|{{ loop.first }}|{{ loop.previtem.role if loop.previtem is defined else '-' }}] {{ message.content|replace('a', 'A')|trim }}
{%- endfor %}""",
    "python": """{%- set things = [1, 2.5, true, none, "a'b", 'x"y', {'k': [1, (2, 3)]}] %}
{{- things }}|{{ things[-1] }}|{{ {'a': 1, 'b': none} }}|{{ none }}|{{ true }}|{{ undefined_thing }}|{{ 7 // 2 }}|{{ 7 / 2 }}|{{ 2 ** 3 }}|{{ -7 % 3 }}
{{ "%s-%d"|format("a", 3) }} {{ "{}:{}".format(1, "b") }} {{ "a,b".split(",")|join("+") }} {{ "  x ".strip() ~ "|" ~ "abc"[1:] ~ "abc"[::-1] }}
{{ "Hello World".title() }} {{ "ab".upper() }} {{ "x".join(["1","2"]) }} {{ "abc".find("c") }} {{ "hello"|capitalize }} {{ "a\\nb"|indent(2) }}
{{ "a-b-c".removeprefix("a-").removesuffix("-c") }} {{ "a-b-c".rsplit("-", 1) }} {{ "a-b-c".rsplit("-") }} {{ "a-b-c".partition("-")[2] }} {{ "a-b-c".rpartition("-")[0] }} {{ "abc".rpartition("-")[2] }} {{ "abc".partition("-")|first }}
{{ "{\n"|indent(2, first=true) }}{{ "a\n\nb\n"|indent("> ", blank=true) }}{{ "a\nb"|indent(width=3) }}
{{ [3,1,2]|sort|join(",") }} {{ messages|map(attribute='role')|list }} {{ messages|selectattr('role','equalto','user')|list|length }} {{ messages|rejectattr('role','equalto','user')|map(attribute='role')|join(' ') }}
{{ (messages|first).role }} {{ (messages|last).role }} {{ range(3)|list }} {{ range(1, 6, 2)|list }} {{ 'user' in ['user'] }} {{ messages[0].missing is defined }} {{ messages[0].get('missing', 'd') }}
{{ things|tojson }} {{ {'é': '<&>', 'n': {'a': [], 'b': {}}}|tojson(indent=2) }} {{ {'é': 1}|tojson(ensure_ascii=True) }} {{ [1,{'b':1,'a':2}]|tojson(separators=(',',':'), sort_keys=True) }}
{{ 1e20|tojson }} {{ 1.0|tojson }} {{ 0.1|tojson }} {{ 1e-7|tojson }} {{ 'tab\\t"q"'|tojson }} {{ 'x' is string }} {{ 1 is number }} {{ {} is mapping }} {{ [] is iterable }} {{ none is none }}
{%- for key, value in {'b': 1, 'a': 2}|dictsort %} {{ key }}{{ value }}{% endfor %}{% for key in {'b': 1, 'a': 2} %} {{ key }}{% endfor %}
{%- set ns = namespace(found=false) %}{% for m in messages %}{% set ns.found = true %}{% endfor %} {{ ns.found }} {{ 'yes' if ns.found else 'no' }} {{ (1, 2)|length }} {{ '1'|int + 1 }} {{ 'abc'|length }} {{ ' a '|trim }}|{{ 'a' if false }}|
{%- filter upper %}quiet{% endfilter %}{% set block %} in {{ 'block' }}{% endset %}{{ block }}{# a comment #}""",
    "generation": """{% for message in messages %}{% if message.role == 'assistant' %}{%- generation -%}  {{ message.content }}!{% endgeneration %}
{% else %}{{ message.content }}
{% endif %}{% endfor %}""",
    "alternating": """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}""",
    "parts": """{% for message in messages %}{{ message.role }}:{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}{% if part.type == 'image' or 'image' in part %}<image>{% elif 'text' in part %}{{ part.text }}{% endif %}{% endfor %}{% endif %};{% endfor %}""",
}

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string", "description": "Où?"}, "days": {"type": "array", "items": {"type": "integer"}}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "It's <b>weather</b>", "parameters": PARAMETERS}}]
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": {"city": "Köln", "days": [1, 2], "f": 1.5}}}


def text(role, content, **more):
    return {"role": role, "content": content, **more}


CONVERSATIONS = [
    ([text("user", "Hello")], None),
    ([text("system", "Be brief."), text("user", " 你好 a\n")], None),
    ([text("user", "a"), text("assistant", "<think>\nhm\n</think>\n\nb"), text("user", "c")], None),
    ([text("user", "weather?"), text("assistant", "", tool_calls=[CALL]), text("tool", "rain", tool_call_id="call_1"), text("tool", "sun", tool_call_id="call_1")], TOOLS),
    ([text("system", "s"), text("user", "x"), text("assistant", "y", reasoning_content="why"), text("user", "z")], TOOLS),
    ([text("user", "one"), text("assistant", "two "), ], None),
    ([{"role": "user", "content": [{"type": "image", "image": "0"}, {"type": "text", "text": "what?"}]}], None),
]

cases = []
for name, template in TEMPLATES.items():
    for messages, tools in CONVERSATIONS:
        has_parts = any(not isinstance(message["content"], str) for message in messages)
        if has_parts != (name == "parts") and has_parts:
            continue
        modes = [(True, False, {})]
        if name in ("tools", "macros"):
            modes += [(False, False, {"date_string": "then"}), (True, False, {"enable_thinking": False})]
        if messages[-1]["role"] == "assistant":
            modes.append((False, True, {}))
        for generate, resume, variables in modes:
            try:
                prompt = render_jinja_template(
                    [messages], tools=tools, chat_template=template, add_generation_prompt=generate,
                    continue_final_message=resume, bos_token="<s>", eos_token="</s>", **variables,
                )[0][0]
            except (jinja2.exceptions.TemplateError, ValueError) as error:
                prompt = None
            cases.append({
                "template": name, "messages": messages, "tools": tools, "add_generation_prompt": generate,
                "continue_final_message": resume, "variables": variables, "prompt": prompt,
            })
made = f"transformers {transformers.__version__}, jinja2 {jinja2.__version__}"
golden = {"made_with": made, "now_s": NOW, "templates": TEMPLATES, "cases": cases}
path = pathlib.Path(__file__).parent / "golden.json"
# A case on a line.
lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in golden.pop("cases"))
path.write_text(json.dumps(golden, ensure_ascii=False, indent=1)[:-2] + ',\n "cases": [\n' + lines + "\n]}\n")
