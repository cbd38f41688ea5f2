"""Writes the golden files of the template plugins beside this one: conversations and what another implementation makes of them.

The other implementation is FastChat where a format was made for it, else transformers with the layout of the template on the hub.
Run with transformers, jinja2 and fschat (--no-deps) installed: python plugins/template-chatml/tests/make_golden.py
"""

import importlib.metadata
import json
import pathlib

import jinja2
from fastchat.conversation import SeparatorStyle, get_conv_template
from transformers.utils.chat_template_utils import render_jinja_template

PLUGINS = pathlib.Path(__file__).parents[2]
SYSTEM = "{% if messages[0]['role'] == 'system' %}{% set system, turns = messages[0]['content'], messages[1:] %}{% else %}{% set system, turns = none, messages %}{% endif %}"
TURNS = (
    "{% for m in turns %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) or m['role'] not in ['user', 'assistant'] %}"
    "{{ raise_exception('must alternate') }}{% endif %}{% endfor %}"
)
CHATML = "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
NO_TOOLS = "{% if message['role'] == 'tool' %}{{ raise_exception('no tools') }}{% endif %}"


def each(body, announce, messages="messages"):
    """A template that renders each message by `body` and ends with `announce`."""
    return (
        "{% for message in " + messages + " %}" + body + "{% endfor %}"
        "{% if add_generation_prompt %}{{ " + repr(announce) + " }}{% endif %}"
    )


def by_role(announce, turns=True, system="{{ system }}", **roles):
    """A template with texts around what each role says."""
    body = "".join(f"{{% if message['role'] == {role!r} %}}{before}{{{{ message['content'] }}}}{after}{{% endif %}}" for role, (before, after) in roles.items())
    if not turns:
        return each(NO_TOOLS + body, announce)
    return SYSTEM + TURNS + "{{ bos_token }}{% if system is not none %}" + system + "{% endif %}" + each(body, announce, "turns")


# The folder, the begin and end tokens, and the layout of the template on the hub.
TEMPLATES = {
    # transformers' documentation, "Writing a chat template".
    "chatml": ("chatml", "", "<|im_end|>", each(CHATML, "<|im_start|>assistant\n")),
    "yi": ("chatml", "", "<|im_end|>", each(NO_TOOLS + CHATML, "<|im_start|>assistant\n")),
    "internlm2": ("internlm", "<s>", "</s>", "{{ bos_token }}" + each(CHATML.replace("message['role']", "('environment' if message['role'] == 'tool' else message['role'])"), "<|im_start|>assistant\n")),
    "llama2": (
        "llama2", "<s>", "</s>",
        SYSTEM + TURNS + "{% for message in turns %}"
        "{% if loop.index0 == 0 and system is not none %}"
        "{% set content = '<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + message['content'] %}"
        "{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}"
        "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% else %}"
        "{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}",
    ),
    "llama3": (
        "llama3", "<|begin_of_text|>", "<|eot_id|>",
        "{{ bos_token }}" + each(
            "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' }}",
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
        ),
    ),
    "gemma": (
        "gemma", "<bos>", "<eos>",
        SYSTEM + TURNS + "{{ bos_token }}" + each(
            "{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else 'user') + '\n' }}"
            "{% if loop.first and system is not none %}{{ system.strip() + '\n\n' }}{% endif %}{{ message['content'].strip() + '<end_of_turn>\n' }}",
            "<start_of_turn>model\n", "turns",
        ),
    ),
    "zephyr": ("mistral", "<s>", "</s>", each(NO_TOOLS + "{{ '<|' + message['role'] + '|>\n' + message['content'] + eos_token + '\n' }}", "<|assistant|>\n")),
    "phi2": ("phi", "", "", by_role("Output:", system="{{ system + '\n' }}", user=("Instruct: ", "{{ '\n' }}"), assistant=("Output: ", "{{ '\n' }}"))),
    "phi3": ("phi", "", "", each(NO_TOOLS + "{{ '<|' + message['role'] + '|>\n' + message['content'] + '<|end|>\n' }}", "<|assistant|>\n")),
    "phi4": ("phi", "", "", each(NO_TOOLS + "{{ '<|im_start|>' + message['role'] + '<|im_sep|>' + message['content'] + '<|im_end|>' }}", "<|im_start|>assistant<|im_sep|>")),
    "deepseek": ("deepseek", "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", by_role("Assistant:", system="{{ system + '\n\n' }}", user=("User: ", "{{ '\n\n' }}"), assistant=("Assistant: ", "{{ eos_token }}"))),
    "deepseek-v3": ("deepseek", "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", by_role("<｜Assistant｜>", user=("<｜User｜>", ""), assistant=("<｜Assistant｜>", "{{ eos_token }}"))),
    "falcon": ("falcon", "", "", by_role("Assistant:", system="{{ system + '\n\n' }}", user=("User: ", "{{ '\n\n' }}"), assistant=("Assistant: ", "{{ '\n\n' }}"))),
    "solar": ("alpaca", "<s>", "</s>", by_role("### Assistant:\n", system="{{ '### System:\n' + system + '\n\n' }}", user=("### User:\n", "{{ '\n\n' }}"), assistant=("{{ '### Assistant:\n' }}", "{{ '\n\n' }}"))),
}
# The folder, the begin token that FastChat leaves to the tokenizer, and FastChat's name.
CONVERSATION_TEMPLATES = {
    "qwen": ("chatml", "", "qwen-7b-chat"),
    "vicuna": ("vicuna", "<s>", "vicuna_v1.1"),
    "alpaca": ("alpaca", "<s>", "alpaca"),
    "baichuan": ("baichuan", "", "baichuan-chat"),
    "baichuan2": ("baichuan", "", "baichuan2-chat"),
    "chatglm2": ("chatglm", "", "chatglm2"),
    "chatglm3": ("chatglm", "", "chatglm3"),
    "falcon-chat": ("falcon", "", "falcon-chat"),
    "internlm": ("internlm", "", "internlm-chat"),
    "mistral": ("mistral", "<s>", "mistral"),
    "openchat": ("mistral", "<s>", "openchat_3.5"),
}
CONVERSATIONS = [
    [("user", "Hello")],
    [("system", "Be brief. "), ("user", " Hello ")],
    [("user", "你好 🙂"), ("assistant", "Hi there!\n"), ("user", "line one\nline two\n")],
    [("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"), ("user", "e")],
    [("user", "<|im_start|> [INST] {{ 7 }}")],
    [("user", "Say hi"), ("assistant", "Sure: hi ")],
    [("system", ""), ("user", "a")],
    [("system", "s")],
    [("user", "a"), ("user", "b")],
    [("assistant", "a"), ("user", "b")],
    [("user", "a"), ("tool", "b")],
]


def by_transformers(bos, eos, template, messages, generate, resume):
    try:
        return render_jinja_template(
            [messages], chat_template=template, add_generation_prompt=generate, continue_final_message=resume, bos_token=bos, eos_token=eos,
        )[0][0]
    except jinja2.exceptions.TemplateError:
        return None


def by_fastchat(bos, name, messages, generate, resume):
    conversation = get_conv_template(name)
    turns = messages
    if messages[0]["role"] == "system":
        conversation.set_system_message(messages[0]["content"])
        turns = messages[1:]
    for index, message in enumerate(turns):
        # FastChat does not look at who speaks.
        if message["role"] != ["user", "assistant"][index % 2]:
            return None
        conversation.append_message(conversation.roles[index % 2], message["content"])
    if generate:
        conversation.append_message(conversation.roles[1], None)
    prompt = bos + conversation.get_prompt()
    if resume:
        text = messages[-1]["content"]
        prompt = prompt[: prompt.rindex(text) + len(text)]
    return prompt


def applies(name, conversation, generate):
    """FastChat takes an empty text for none, and some styles for one that is still to come."""
    if name not in CONVERSATION_TEMPLATES:
        return True
    roles = [role for role, _ in conversation]
    if ("system", "") in conversation:
        return False
    # In its style of Mistral the end of what the user says announces the answer.
    if name == "mistral" and not generate and roles[-1] != "assistant":
        return False
    # It announces answers by the place of the message alone.
    return roles != ["system"] and not (generate and roles[-1] == "assistant")


for name, reference in (TEMPLATES | CONVERSATION_TEMPLATES).items():
    folder, bos, cases = reference[0], reference[1], []
    for conversation in CONVERSATIONS:
        messages = [{"role": role, "content": content} for role, content in conversation]
        for generate, resume in [(True, False), (False, False)] + ([(False, True)] if conversation[-1][0] == "assistant" else []):
            if not applies(name, conversation, generate):
                continue
            if name in TEMPLATES:
                prompt = by_transformers(*reference[1:], messages, generate, resume)
            elif name == "chatglm3" and conversation[-2:] in ([("user", "a"), ("user", "b")], [("assistant", "a"), ("user", "b")], [("user", "a"), ("tool", "b")]):
                # These models know tools and any order, FastChat does not.
                continue
            elif name == "qwen" and (conversation[-2:] == [("user", "a"), ("user", "b")] or conversation[0][0] == "assistant"):
                continue
            else:
                prompt = by_fastchat(*reference[1:], messages, generate, resume)
            cases.append({"messages": messages, "add_generation_prompt": generate, "continue_final_message": resume, "prompt": prompt})
    library = "transformers" if name in TEMPLATES else "fschat"
    made = f"{library} {importlib.metadata.version(library)}"
    eos = reference[2] if name in TEMPLATES else "</s>"
    head = json.dumps({"made_with": made, "bos_token": bos, "eos_token": eos}, ensure_ascii=False)[:-1]
    # A case on a line.
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    path = PLUGINS / f"template-{folder}" / "tests" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(head + ', "cases": [\n' + lines + "\n]}\n")
