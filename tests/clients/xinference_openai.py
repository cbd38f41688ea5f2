"""OpenAI's client in front of Xinference's dialect, as most of its users have it: `xinference_openai.py BASE_URL`."""

import sys

import openai

from checks import check, equal, holds, raises, run_all

CLIENT = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="not needed", max_retries=0)
CHAT, EMBED = "mimus-chat", "mimus-embed"
MESSAGES = [{"role": "user", "content": "What is the capital of France?"}]


@check
def models_are_listed():
    uids = [model.id for model in CLIENT.models.list()]
    assert CHAT in uids and EMBED in uids, uids


@check
def a_conversation_is_held():
    answer = CLIENT.chat.completions.create(model=CHAT, messages=MESSAGES, max_tokens=24, temperature=0)
    whole = answer.choices[0].message.content
    holds(whole, "Paris")
    chunks = list(CLIENT.chat.completions.create(
        model=CHAT, messages=MESSAGES, max_tokens=24, temperature=0, stream=True, stream_options={"include_usage": True}))
    equal("".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices), whole)
    equal(chunks[-1].usage.completion_tokens, answer.usage.completion_tokens)


@check
def what_it_has_no_field_for_goes_into_the_extra_body():
    extra = {"guided_choice": ["red", "green"], "chat_template_kwargs": {"enable_thinking": False}, "request_id": "r"}
    answer = CLIENT.chat.completions.create(model=CHAT, messages=MESSAGES, max_tokens=8, extra_body=extra)
    assert answer.choices[0].message.content in ("red", "green"), answer


@check
def a_prompt_goes_on():
    config = {"model": CHAT, "prompt": "Once upon a time", "max_tokens": 8, "temperature": 0}
    whole = CLIENT.completions.create(**config).choices[0].text
    equal("".join(chunk.choices[0].text for chunk in CLIENT.completions.create(stream=True, **config)), whole)


@check
def texts_become_vectors():
    # The client asks for base64 unless told otherwise.
    texts = CLIENT.embeddings.create(model=EMBED, input=["a", "b"])
    numbers = CLIENT.embeddings.create(model=EMBED, input=["a", "b"], encoding_format="float")
    equal(len(texts.data), 2)
    difference = max(abs(one - other) for one, other in zip(texts.data[0].embedding, numbers.data[0].embedding))
    assert difference < 1e-6, difference


def refused(kind, call, words):
    holds(raises(kind, call).response.json()["detail"], words)


@check
def mistakes_are_told():
    nobody = lambda: CLIENT.chat.completions.create(model="nobody", messages=MESSAGES)
    refused(openai.NotFoundError, nobody, "Model not found in the model list, uid: nobody")
    refused(openai.BadRequestError, lambda: CLIENT.embeddings.create(model=CHAT, input="a"), "type LLM")
    refused(openai.NotFoundError, lambda: CLIENT.images.generate(model="sd-turbo", prompt="a boat"), "uid: sd-turbo")


if __name__ == "__main__":
    run_all()
