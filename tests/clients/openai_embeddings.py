"""Embeddings by the official OpenAI client: `openai_embeddings.py BASE_URL CHAT_MODEL EMBEDDING_MODEL`.

Runs with the 1.x and the 3.x line of the `openai` package.
"""

import base64
import math
import struct
import sys

import openai

from checks import check, equal, raises, run_all

BASE_URL, CHAT_MODEL, MODEL = sys.argv[1], sys.argv[2], sys.argv[3]

client = openai.OpenAI(base_url=BASE_URL, api_key="unused", max_retries=0, timeout=120)

TEXTS = ["The cat sits on the mat.", "A cat is sitting on a mat.", "The stock market fell today."]


def embed(texts=TEXTS, **options):
    options.setdefault("model", MODEL)
    return client.embeddings.create(input=texts, **options)


def likeness(left, right):
    dot = sum(a * b for a, b in zip(left, right))
    return dot / math.sqrt(sum(a * a for a in left) * sum(b * b for b in right))


@check
def an_answer_has_every_field():
    answer = embed()
    equal((answer.object, answer.model), ("list", MODEL))
    equal([entry.index for entry in answer.data], [0, 1, 2])
    equal({entry.object for entry in answer.data}, {"embedding"})
    equal(len({len(entry.embedding) for entry in answer.data}), 1)
    assert answer.usage.prompt_tokens > 3, answer.usage
    equal(answer.usage.total_tokens, answer.usage.prompt_tokens)


@check
def both_encodings_say_the_same():
    plain = embed(encoding_format="float").data
    text = embed(encoding_format="base64").data
    for left, right, unsaid in zip(plain, text, embed().data):
        bytes_of = base64.b64decode(right.embedding)
        numbers = struct.unpack("<%df" % (len(bytes_of) // 4), bytes_of)
        equal(len(numbers), len(left.embedding))
        for a, b, c in zip(left.embedding, numbers, unsaid.embedding):
            assert abs(a - b) < 1e-6 and abs(b - c) < 1e-6, (a, b, c)


@check
def alike_texts_are_near():
    near, same, far = [entry.embedding for entry in embed().data]
    assert likeness(near, same) > likeness(near, far)


@check
def one_text_is_a_list_of_one():
    (alone,) = embed(TEXTS[0]).data
    assert likeness(alone.embedding, embed().data[0].embedding) > 0.999


@check
def tokens_in_place_of_texts():
    equal(embed([5, 6, 7]).usage.prompt_tokens, 3)
    equal(len(embed([[5, 6], [7]]).data), 2)


@check
def fewer_dimensions():
    equal({len(entry.embedding) for entry in embed(dimensions=8).data}, {8})


@check
def many_texts_at_once():
    answer = embed(["word %d" % number for number in range(300)])
    equal([entry.index for entry in answer.data], list(range(300)))


@check
def a_long_text_is_cut_when_asked():
    answer = embed("word " * 20000, extra_body={"truncate_prompt_tokens": 16})
    assert answer.usage.prompt_tokens <= 16, answer.usage


@check
def bad_values_are_bad_requests():
    cases = {
        "input": [lambda: embed([]), lambda: embed(""), lambda: embed(["a", ""]), lambda: embed([[]]),
                  lambda: embed(["a"] * 2049), lambda: embed([2**30]), lambda: embed("word " * 20000)],
        "encoding_format": [lambda: embed(encoding_format="hex")],
        "dimensions": [lambda: embed(dimensions=0), lambda: embed(dimensions=10**6)],
        "model": [lambda: embed(model=CHAT_MODEL)],
    }
    for param, calls in cases.items():
        for call in calls:
            error = raises(openai.BadRequestError, call)
            equal((error.param, error.type), (param, "invalid_request_error"))
    raises(openai.NotFoundError, lambda: embed(model="no-such-model"))


if __name__ == "__main__":
    run_all()
