"""The synchronous client of one release: `xinference_basics.py BASE_URL RELEASE`.

What every release since late 2023 can do: look at the registry, launch, chat, generate, embed, rerank, register, terminate. The
models are the built-in ones, each launched here under a uid of its own.
"""

import json
import sys

from checks import check, equal, holds, raises, run_all

BASE_URL, RELEASE = sys.argv[1], sys.argv[2]
VERSION = tuple(int(part) for part in RELEASE.split(".")[:2])

if VERSION < (0, 6):
    from xinference.client import Client
else:
    from xinference_client import RESTfulClient as Client

CLIENT = Client(BASE_URL)
UID = "chat-" + RELEASE.replace(".", "-")
QUESTION = "What is the capital of France?"
CONFIG = {"max_tokens": 24, "temperature": 0}


def launch(name, kind="LLM", **options):
    if kind == "LLM" and VERSION >= (0, 11):
        options.setdefault("model_engine", "Transformers")
    return CLIENT.launch_model(model_name=name, model_type=kind, **options)


def chat(model, question, history=None, **config):
    config = dict(CONFIG, **config)
    if VERSION >= (0, 15):
        return model.chat((history or []) + [{"role": "user", "content": question}], generate_config=config)
    return model.chat(question, chat_history=history, generate_config=config)


def running():
    """The models that run, by uid. Releases before 0.9.3 hand over the parsed answer as it is."""
    models = CLIENT.list_models()
    return {item["id"]: item for item in models["data"]} if VERSION < (0, 9) else models


@check
def the_registry_is_listed():
    entries = {entry["model_name"]: entry["is_builtin"] for entry in CLIENT.list_model_registrations("LLM")}
    equal(entries["mimus-chat"], True)
    assert list(entries) == sorted(entries, key=str.lower), "not sorted"
    family = CLIENT.get_model_registration("LLM", "mimus-chat")
    equal(family["model_name"], "mimus-chat")
    assert "chat" in family["model_ability"] and family["model_specs"][0]["model_format"] == "pytorch", family
    embedding = CLIENT.get_model_registration("embedding", "mimus-embed")
    assert embedding["dimensions"] > 0 and embedding["max_tokens"] > 0, embedding
    holds(str(raises(RuntimeError, lambda: CLIENT.get_model_registration("LLM", "nobody"))), "Model nobody not found")
    holds(str(raises(RuntimeError, lambda: CLIENT.list_model_registrations("boat"))), "Unsupported model type: boat")


@check
def a_model_is_launched_under_its_uid():
    equal(launch("mimus-chat", model_uid=UID, model_format="pytorch", quantization="none"), UID)
    model = running()[UID]
    equal((model["model_type"], model["model_name"], model["quantization"]), ("LLM", "mimus-chat", "none"))
    equal(CLIENT.describe_model(UID)["replica"], 1)
    error = raises(RuntimeError, lambda: launch("mimus-chat", model_uid=UID))
    holds(str(error), "Model is already in the model list, uid: " + UID)


@check
def a_uid_is_made_where_none_is_given():
    uid = launch("mimus-chat")
    assert uid and uid != UID and uid in running(), uid
    CLIENT.terminate_model(uid)
    assert uid not in running()


@check
def launches_that_cannot_be_say_why():
    holds(str(raises(RuntimeError, lambda: launch("nobody"))), "Model not found, name: nobody")
    holds(str(raises(RuntimeError, lambda: launch("nobody", "embedding"))), "Embedding model nobody not found")
    error = raises(RuntimeError, lambda: launch("mimus-chat", model_format="ggufv2", quantization="q4_0"))
    holds(str(error), "Model not found, name: mimus-chat, format: ggufv2")
    if VERSION >= (0, 11):
        error = raises(RuntimeError, lambda: launch("mimus-chat", model_engine="llama.cpp"))
        holds(str(error), "Model mimus-chat cannot be run on engine llama.cpp.")


@check
def a_conversation_is_held():
    model = CLIENT.get_model(UID)
    holds(type(model).__name__, "Chat")
    answer = chat(model, QUESTION)
    equal((answer["object"], answer["model"]), ("chat.completion", UID))
    text = answer["choices"][0]["message"]["content"]
    holds(text, "Paris")
    history = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": text}]
    assert chat(model, "Thank you.", history)["choices"][0]["message"]["content"]
    usage = answer["usage"]
    equal(usage["total_tokens"], usage["prompt_tokens"] + usage["completion_tokens"])


@check
def a_conversation_streams():
    model = CLIENT.get_model(UID)
    whole = chat(model, QUESTION)["choices"][0]["message"]["content"]
    chunks = list(chat(model, QUESTION, stream=True))
    equal("".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks), whole)
    equal(chunks[0]["choices"][0]["delta"]["role"], "assistant")
    assert chunks[-1]["choices"][0]["finish_reason"] in ("stop", "length"), chunks[-1]


def the_published_example_works():
    """It hands an empty history over in the place of the system prompt."""
    model = CLIENT.get_model(UID)
    history = []
    answer = model.chat(QUESTION, history, generate_config={"max_tokens": 24, "temperature": 0})
    holds(answer["choices"][0]["message"]["content"], "Paris")
    history.extend([{"role": "user", "content": "My name is Ada."}, {"role": "assistant", "content": "Hello Ada."}])
    assert model.chat("What is my name?", history, generate_config=CONFIG)["choices"][0]["message"]["content"]


def a_system_prompt_is_taken():
    model = CLIENT.get_model(UID)
    assert model.chat("Hello.", "You are a helpful assistant.", generate_config=CONFIG)["choices"]


if VERSION < (0, 15):
    check(a_system_prompt_is_taken)
# From 0.14 on the client itself stumbles over the example.
if VERSION < (0, 14):
    check(the_published_example_works)


@check
def a_prompt_goes_on():
    model = CLIENT.get_model(UID)
    config = {"max_tokens": 8, "temperature": 0}
    whole = model.generate("Once upon a time", config)
    equal((whole["object"], whole["choices"][0]["finish_reason"]), ("text_completion", "length"))
    chunks = list(model.generate("Once upon a time", dict(config, stream=True)))
    equal("".join(chunk["choices"][0]["text"] for chunk in chunks), whole["choices"][0]["text"])


@check
def mistakes_are_told():
    model = CLIENT.get_model(UID)
    holds(str(raises(RuntimeError, lambda: chat(model, "x", max_tokens=0))), "`max_tokens`")
    holds(str(raises(RuntimeError, lambda: chat(model, "word " * 20000))), "maximum context length")
    holds(str(raises(RuntimeError, lambda: CLIENT.get_model("nobody"))), "uid: nobody")
    holds(str(raises(RuntimeError, lambda: CLIENT.describe_model("nobody"))), "uid: nobody")
    holds(str(raises(RuntimeError, lambda: CLIENT.terminate_model("nobody"))), "uid: nobody")


@check
def texts_become_vectors():
    uid = launch("mimus-embed", "embedding")
    model = CLIENT.get_model(uid)
    holds(type(model).__name__, "Embedding")
    one = model.create_embedding(QUESTION)
    equal(len(one["data"][0]["embedding"]), CLIENT.describe_model(uid)["dimensions"])
    many = model.create_embedding([QUESTION, "word " * 2000])
    equal([item["index"] for item in many["data"]], [0, 1])
    equal((many["object"], many["model"]), ("list", uid))
    CLIENT.terminate_model(uid)


@check
def a_definition_is_registered():
    name = "mine-" + RELEASE.replace(".", "-")
    definition = {
        "version": 1, "context_length": 512, "model_name": name, "model_lang": ["en"], "model_ability": ["chat"],
        "model_family": "other", "model_description": "of ours",
        "model_specs": [{"model_format": "pytorch", "model_size_in_billions": 7, "quantizations": ["none"],
                         "model_id": "nobody/nothing", "model_revision": "main"}],
    }
    CLIENT.register_model("LLM", json.dumps(definition), False)
    kept = CLIENT.get_model_registration("LLM", name)
    equal({key: kept[key] for key in definition}, definition)
    assert {"model_name": name, "is_builtin": False} in CLIENT.list_model_registrations("LLM")
    CLIENT.unregister_model("LLM", name)
    assert name not in [entry["model_name"] for entry in CLIENT.list_model_registrations("LLM")]
    error = raises(RuntimeError, lambda: CLIENT.register_model("LLM", json.dumps({"model_name": "x"}), False))
    holds(str(error), "`model_specs` is required")
    CLIENT.unregister_model("LLM", "nobody")


@check
def what_no_engine_makes_is_told():
    holds(str(raises(RuntimeError, lambda: launch("sd-turbo-of-nobody", "image"))), "not found")


@check
def a_model_ends_once():
    CLIENT.terminate_model(UID)
    assert UID not in running()
    holds(str(raises(RuntimeError, lambda: CLIENT.terminate_model(UID))), "uid: " + UID)


if __name__ == "__main__":
    run_all()
