"""Writes tests/golden.json of the template plugins beside this one: conversations and what transformers makes of them.

Run with transformers and jinja2 installed: python plugins/template-chatml/tests/make_golden.py
"""

import json
import pathlib

import jinja2
import transformers
from transformers.utils.chat_template_utils import render_jinja_template

SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions."
)
ALTERNATE = (
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) or message['role'] not in ['user', 'assistant'] %}"
    "{{ raise_exception('must alternate') }}{% endif %}"
)
TEMPLATES = {
    # transformers' documentation, "Writing a chat template".
    "chatml": "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    # The Llama 2 chat models.
    "llama2": "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
    "{% set system_message = false %}{% endif %}{% for message in loop_messages %}" + ALTERNATE +
    "{% if loop.index0 == 0 and system_message != false %}"
    "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}"
    "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
    "{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}",
    # The Llama 3 instruct models.
    "llama3": "{% set loop_messages = messages %}{% for message in loop_messages %}"
    "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
    # FastChat's vicuna_v1.1: separator style ADD_COLON_TWO with " " and "</s>".
    "vicuna": "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
    "{% set system_message = " + repr(SYSTEM) + " %}{% endif %}{{ bos_token + system_message + ' ' }}"
    "{% for message in loop_messages %}" + ALTERNATE +
    "{% if message['role'] == 'user' %}{{ 'USER: ' + message['content'] + ' ' }}"
    "{% else %}{{ 'ASSISTANT: ' + message['content'] + eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}",
}
TOKENS = {"chatml": ("", "<|im_end|>"), "llama2": ("<s>", "</s>"), "llama3": ("<|begin_of_text|>", "<|eot_id|>"), "vicuna": ("<s>", "</s>")}
CONVERSATIONS = [
    [("user", "Hello")],
    [("system", "Be brief. "), ("user", " Hello ")],
    [("user", "你好 🙂"), ("assistant", "Hi there!\n"), ("user", "line one\nline two\n")],
    [("system", ""), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"), ("user", "e")],
    [("user", "<|im_start|> [INST] {{ 7 }}")],
    [("user", "Say hi"), ("assistant", "Sure: hi ")],
    [("system", "s")],
    [("user", "a"), ("user", "b")],
    [("assistant", "a"), ("user", "b")],
    [("user", "a"), ("tool", "b")],
]

for name, template in TEMPLATES.items():
    bos, eos = TOKENS[name]
    cases = []
    for conversation in CONVERSATIONS:
        messages = [{"role": role, "content": content} for role, content in conversation]
        modes = [(True, False), (False, False)] + ([(False, True)] if conversation[-1][0] == "assistant" else [])
        for generate, resume in modes:
            try:
                prompt = render_jinja_template(
                    [messages], chat_template=template, add_generation_prompt=generate, continue_final_message=resume,
                    bos_token=bos, eos_token=eos,
                )[0][0]
            except jinja2.exceptions.TemplateError:
                prompt = None
            cases.append({"messages": messages, "add_generation_prompt": generate, "continue_final_message": resume, "prompt": prompt})
    made = f"transformers {transformers.__version__}, jinja2 {jinja2.__version__}"
    golden = {"made_with": made, "bos_token": bos, "eos_token": eos, "cases": cases}
    path = pathlib.Path(__file__).parents[2] / f"template-{name}" / "tests" / "golden.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n")
