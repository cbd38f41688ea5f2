"""The official OpenAI client against a running server: `openai_chat.py BASE_URL MODEL`.

Runs with the 1.x and the 3.x line of the `openai` package. Nearly all checks are about the protocol and hold for any model; those
named `words_…` are about what the built-in chat model knows.
"""

import asyncio
import sys
import time

import openai

from checks import check, equal, holds, raises, run_all

BASE_URL, MODEL = sys.argv[1], sys.argv[2]

# Without retries, so that a refusal is seen as it is.
client = openai.OpenAI(base_url=BASE_URL, api_key="unused", max_retries=0, timeout=120)

CAPITAL = [{"role": "user", "content": "What is the capital of France?"}]
STORY = [{"role": "user", "content": "Tell me a short story."}]


def chat(messages=CAPITAL, **options):
    options.setdefault("temperature", 0)
    options.setdefault("model", MODEL)
    return client.chat.completions.create(messages=messages, **options)


def complete(prompt="The capital of France is", **options):
    options.setdefault("temperature", 0)
    options.setdefault("model", MODEL)
    return client.completions.create(prompt=prompt, **options)


def text_of(answer, index=0):
    return answer.choices[index].message.content


def token_text(entries):
    return b"".join(bytes(entry.bytes) for entry in entries).decode("utf-8", "replace")


# Models.


@check
def models_are_listed():
    models = list(client.models.list())
    assert MODEL in [model.id for model in models], models
    for model in models:
        equal(model.object, "model")
        assert isinstance(model.created, int) and model.owned_by, model


@check
def a_model_is_retrieved():
    equal(client.models.retrieve(MODEL).id, MODEL)


@check
def an_unknown_model_is_not_found():
    for call in (
        lambda: client.models.retrieve("no-such-model"),
        lambda: client.models.retrieve("owner/no-such-model"),
        lambda: chat(model="no-such-model"),
        lambda: complete(model="no-such-model"),
        lambda: chat(model="../../etc/passwd"),
        lambda: chat(model="a\\b"),
        lambda: chat(model="x" * 300),
    ):
        error = raises(openai.NotFoundError, call)
        equal(error.status_code, 404)
        equal(error.code, "model_not_found")
        equal(error.type, "invalid_request_error")


# Chat completions.


@check
def words_capital_of_france():
    holds(text_of(chat()), "Paris")


@check
def words_remember_a_name():
    messages = [{"role": "user", "content": "My name is Alice."}]
    messages.append({"role": "assistant", "content": text_of(chat(messages))})
    messages.append({"role": "user", "content": "What is my name?"})
    holds(text_of(chat(messages)), "Alice")


@check
def a_chat_has_every_field():
    before = int(time.time())
    answer = chat()
    assert answer.id.startswith("chatcmpl-"), answer.id
    equal(answer.object, "chat.completion")
    equal(answer.model, MODEL)
    assert before - 60 <= answer.created <= time.time() + 60, answer.created
    equal([choice.index for choice in answer.choices], [0])
    equal(answer.choices[0].message.role, "assistant")
    equal(answer.choices[0].finish_reason, "stop")
    assert answer.choices[0].logprobs is None
    usage = answer.usage
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0, usage
    equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)
    assert chat().id != answer.id


@check
def a_request_id_comes_with_every_answer():
    assert chat()._request_id
    error = raises(openai.NotFoundError, lambda: chat(model="no-such-model"))
    assert error.request_id


@check
def content_in_parts_means_the_same():
    parts = [{"role": "user", "content": [{"type": "text", "text": "What is the capital of France?"}]}]
    equal(text_of(chat(parts)), text_of(chat()))


@check
def greedy_answers_repeat():
    equal(text_of(chat(STORY)), text_of(chat(STORY)))


@check
def a_seed_makes_samples_repeat():
    options = {"temperature": 1, "seed": 7, "max_tokens": 40}
    equal(text_of(chat(STORY, **options)), text_of(chat(STORY, **options)))


@check
def a_tiny_top_p_is_greedy():
    equal(text_of(chat(STORY, temperature=1, top_p=1e-6)), text_of(chat(STORY)))


@check
def max_tokens_cuts_the_answer():
    for name in ("max_tokens", "max_completion_tokens"):
        for tokens in (1, 3):
            answer = chat(STORY, **{name: tokens})
            equal(answer.usage.completion_tokens, tokens)
            equal(answer.choices[0].finish_reason, "length")


@check
def a_stop_string_ends_the_answer_before_itself():
    whole = text_of(chat(STORY))
    word = " " + whole.split()[3]
    expected = whole[: whole.index(word)]
    for stop in (word, [word], ["never in this text", word]):
        answer = chat(STORY, stop=stop)
        equal(text_of(answer), expected)
        equal(answer.choices[0].finish_reason, "stop")
    streamed = "".join(piece.choices[0].delta.content or "" for piece in chat(STORY, stop=word, stream=True) if piece.choices)
    equal(streamed, expected)


@check
def no_stop_strings_are_fine():
    whole = text_of(chat())
    for stop in (None, []):
        equal(text_of(chat(stop=stop)), whole)


@check
def n_gives_as_many_choices():
    answer = chat(STORY, n=3, temperature=1, max_tokens=12)
    equal([choice.index for choice in answer.choices], [0, 1, 2])
    one = chat(STORY, max_tokens=12)
    equal(answer.usage.prompt_tokens, one.usage.prompt_tokens)
    assert 3 <= answer.usage.completion_tokens <= 36, answer.usage


@check
def logprobs_cover_the_text():
    answer = chat(logprobs=True, top_logprobs=3)
    entries = answer.choices[0].logprobs.content
    equal(token_text(entries).strip(), text_of(answer).strip())
    for entry in entries:
        assert entry.logprob <= 1e-6, entry
        equal(len(entry.top_logprobs), 3)
        values = [top.logprob for top in entry.top_logprobs]
        equal(values, sorted(values, reverse=True))
        equal(entry.top_logprobs[0].token, entry.token)
    for entry in chat(logprobs=True).choices[0].logprobs.content:
        equal(entry.top_logprobs, [])


@check
def logit_bias_moves_the_choice():
    first = chat(logprobs=True, top_logprobs=2, max_tokens=1).choices[0].logprobs.content[0]
    ids = complete(prompt="x", logprobs=0, max_tokens=1)
    assert ids.choices[0].logprobs is not None
    # The biased ids are small ones: whatever they stand for, the answer stays well formed.
    answer = chat(logit_bias={"5": -100, "6": 100}, max_tokens=2)
    assert answer.usage.completion_tokens <= 2
    assert first.token is not None


@check
def unknown_and_null_fields_are_accepted():
    answer = chat(
        user="someone",
        extra_body={
            "metadata": None, "store": False, "service_tier": "auto", "frobnicate": {"a": [1]}, "top_k": -1, "min_p": 0,
            "repetition_penalty": 1.0, "tools": None, "logit_bias": None, "functions": None, "response_format": None,
        },
    )
    holds(text_of(answer), text_of(chat()))


@check
def penalties_at_their_bounds_are_accepted():
    for value in (-2, 2):
        assert chat(STORY, presence_penalty=value, frequency_penalty=value, max_tokens=8).choices


# Streams.


@check
def a_stream_says_the_same_as_a_plain_answer():
    pieces = list(chat(STORY, stream=True))
    equal(len({piece.id for piece in pieces}), 1)
    equal(len({piece.created for piece in pieces}), 1)
    equal({piece.model for piece in pieces}, {MODEL})
    equal({piece.object for piece in pieces}, {"chat.completion.chunk"})
    assert all(len(piece.choices) == 1 for piece in pieces)
    assert all(piece.usage is None for piece in pieces)
    equal([piece.choices[0].delta.role for piece in pieces if piece.choices[0].delta.role], ["assistant"])
    equal(pieces[0].choices[0].delta.role, "assistant")
    finish = [piece.choices[0].finish_reason for piece in pieces]
    equal(finish[:-1], [None] * (len(pieces) - 1))
    text = "".join(piece.choices[0].delta.content or "" for piece in pieces)
    plain = chat(STORY)
    equal(text, text_of(plain))
    equal(finish[-1], plain.choices[0].finish_reason)
    assert len(pieces) > 3, "the answer came in one piece"


@check
def a_stream_reports_usage_when_asked():
    pieces = list(chat(stream=True, stream_options={"include_usage": True}))
    equal(pieces[-1].choices, [])
    plain = chat().usage
    for key in ("prompt_tokens", "completion_tokens", "total_tokens"):
        equal(getattr(pieces[-1].usage, key), getattr(plain, key))
    assert all(piece.usage is None for piece in pieces[:-1])


@check
def a_stream_of_two_choices():
    texts, finished = {}, {}
    for piece in chat(STORY, n=2, temperature=1, max_tokens=10, stream=True):
        (choice,) = piece.choices
        texts[choice.index] = texts.get(choice.index, "") + (choice.delta.content or "")
        if choice.finish_reason:
            assert choice.index not in finished
            finished[choice.index] = choice.finish_reason
    equal(sorted(finished), [0, 1])
    equal(sorted(texts), [0, 1])


@check
def a_stream_carries_logprobs():
    entries = []
    text = ""
    for piece in chat(stream=True, logprobs=True, top_logprobs=1):
        choice = piece.choices[0]
        text += choice.delta.content or ""
        if choice.logprobs and choice.logprobs.content:
            entries.extend(choice.logprobs.content)
    equal(token_text(entries).strip(), text.strip())


@check
def the_bytes_of_a_stream():
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=CAPITAL, temperature=0, stream=True)
    assert raw.headers["content-type"].startswith("text/event-stream"), raw.headers
    assert "no-cache" in raw.headers["cache-control"], raw.headers
    assert "content-length" not in raw.headers
    list(raw.parse())


@check
def the_stream_helper_of_the_client():
    if not hasattr(client.chat.completions, "stream"):
        return
    with client.chat.completions.stream(model=MODEL, messages=CAPITAL, temperature=0) as stream:
        events = [event.type for event in stream]
        final = stream.get_final_completion()
    assert "content.delta" in events and "content.done" in events, events
    equal(text_of(final), text_of(chat()))


@check
def a_client_that_leaves_frees_its_place():
    for _ in range(20):
        stream = chat(STORY, stream=True, temperature=1, max_tokens=400, extra_body={"ignore_eos": True})
        for count, _ in enumerate(stream):
            if count == 2:
                break
        stream.close()
    started = time.monotonic()
    assert text_of(chat())
    assert time.monotonic() - started < 30, "the abandoned streams still run"


# Completions.


@check
def a_completion_has_every_field():
    answer = complete(max_tokens=5)
    assert answer.id.startswith("cmpl-"), answer.id
    equal(answer.object, "text_completion")
    equal(answer.model, MODEL)
    equal(answer.choices[0].index, 0)
    assert answer.choices[0].finish_reason in ("stop", "length")
    equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)


@check
def a_completion_is_sixteen_tokens_by_default():
    answer = complete(extra_body={"ignore_eos": True})
    equal(answer.usage.completion_tokens, 16)
    equal(answer.choices[0].finish_reason, "length")


@check
def several_prompts_and_samples_are_numbered():
    answer = complete(prompt=["One.", "Two.", "Three."], n=2, temperature=1, max_tokens=4)
    equal([choice.index for choice in answer.choices], list(range(6)))
    one = complete(prompt=["One.", "Two.", "Three."], max_tokens=4)
    for index, prompt in enumerate(["One.", "Two.", "Three."]):
        equal(one.choices[index].text, complete(prompt=prompt, max_tokens=4).choices[0].text)


@check
def a_prompt_of_tokens():
    assert complete(prompt=[5, 6, 7], max_tokens=2).usage.prompt_tokens == 3
    equal(len(complete(prompt=[[5, 6], [7]], max_tokens=2).choices), 2)


@check
def a_completion_echoes_its_prompt():
    plain = complete(max_tokens=5)
    echoed = complete(max_tokens=5, echo=True)
    equal(echoed.choices[0].text, "The capital of France is" + plain.choices[0].text)


@check
def a_prompt_is_scored():
    answer = complete(max_tokens=0, echo=True, logprobs=1)
    equal(answer.choices[0].text, "The capital of France is")
    equal(answer.usage.completion_tokens, 0)
    scores = answer.choices[0].logprobs
    equal(len(scores.tokens), len(scores.token_logprobs))
    equal(len(scores.tokens), len(scores.text_offset))
    assert scores.token_logprobs[0] is None
    assert all(value <= 1e-6 for value in scores.token_logprobs[1:])


@check
def a_completion_reports_logprobs():
    answer = complete(max_tokens=4, logprobs=2, extra_body={"ignore_eos": True})
    scores = answer.choices[0].logprobs
    equal([len(scores.tokens), len(scores.token_logprobs), len(scores.top_logprobs)], [4, 4, 4])
    for tops in scores.top_logprobs:
        assert 2 <= len(tops) <= 3, tops


@check
def a_completion_streams():
    plain = complete(max_tokens=8)
    pieces = list(complete(max_tokens=8, stream=True))
    equal({piece.object for piece in pieces}, {"text_completion"})
    equal("".join(piece.choices[0].text for piece in pieces), plain.choices[0].text)
    equal(pieces[-1].choices[0].finish_reason, plain.choices[0].finish_reason)


# Errors.


@check
def bad_values_are_bad_requests():
    cases = {
        "messages empty": lambda: chat([]),
        "unknown role": lambda: chat([{"role": "robot", "content": "x"}]),
        "unknown part": lambda: chat([{"role": "user", "content": [{"type": "smell"}]}]),
        "no content": lambda: chat([{"role": "user"}]),
        "temperature high": lambda: chat(temperature=2.1),
        "temperature low": lambda: chat(temperature=-0.1),
        "temperature a word": lambda: chat(temperature="warm"),
        "top_p": lambda: chat(top_p=1.5),
        "n none": lambda: chat(n=0),
        "n many": lambda: chat(n=2**31),
        "max_tokens none": lambda: chat(max_tokens=0),
        "max_tokens negative": lambda: chat(max_tokens=-1),
        "top_logprobs alone": lambda: chat(top_logprobs=2),
        "top_logprobs many": lambda: chat(logprobs=True, top_logprobs=21),
        "logit_bias no id": lambda: chat(logit_bias={"word": 1}),
        "logit_bias far": lambda: chat(logit_bias={"5": 101}),
        "presence_penalty": lambda: chat(presence_penalty=2.1),
        "frequency_penalty": lambda: chat(frequency_penalty=-2.1),
        "stream_options alone": lambda: chat(extra_body={"stream_options": {"include_usage": True}}),
        "prompt empty list": lambda: complete(prompt=[]),
        "prompt empty tokens": lambda: complete(prompt=[[]]),
        "prompt out of vocabulary": lambda: complete(prompt=[2**30]),
        "best_of below n": lambda: complete(n=3, best_of=2),
        "logprobs negative": lambda: complete(logprobs=-1),
    }
    for name, call in cases.items():
        try:
            error = raises(openai.BadRequestError, call)
        except Exception as problem:
            raise AssertionError(name) from problem
        equal(error.status_code, 400)
        equal(error.type, "invalid_request_error")
        assert error.body and error.body["message"], (name, error.body)


@check
def a_prompt_past_the_context_is_named():
    error = raises(openai.BadRequestError, lambda: chat([{"role": "user", "content": "word " * 50000}]))
    equal(error.code, "context_length_exceeded")
    equal(error.param, "messages")
    error = raises(openai.BadRequestError, lambda: complete(prompt="word " * 50000))
    equal(error.code, "context_length_exceeded")
    equal(error.param, "prompt")


@check
def an_error_before_a_stream_is_a_plain_error():
    raises(openai.NotFoundError, lambda: chat(model="no-such-model", stream=True))
    raises(openai.BadRequestError, lambda: chat([], stream=True))


@check
def an_unknown_url_is_not_found():
    error = raises(openai.NotFoundError, lambda: client.get("/nothing/here", cast_to=object))
    equal(error.type, "invalid_request_error")


@check
def a_wrong_method_is_named():
    error = raises(openai.APIStatusError, lambda: client.get("/chat/completions", cast_to=object))
    equal(error.status_code, 405)


@check
def the_connection_outlives_an_error():
    for _ in range(5):
        raises(openai.BadRequestError, lambda: chat([]))
    assert text_of(chat())


# Many at once.


@check
def concurrent_streams_do_not_mix():
    async def all_at_once():
        async with openai.AsyncOpenAI(base_url=BASE_URL, api_key="unused", max_retries=0, timeout=120) as many:
            async def one(question):
                stream = await many.chat.completions.create(
                    model=MODEL, messages=[{"role": "user", "content": question}], temperature=0, stream=True)
                text = ""
                async for piece in stream:
                    text += piece.choices[0].delta.content or ""
                return text

            return await asyncio.gather(*[one(question) for question in questions])

    questions = ["What is the capital of %s?" % place for place in ("France", "Italy", "Japan", "Spain", "Egypt", "Peru")] * 3
    expected = {question: text_of(chat([{"role": "user", "content": question}])) for question in set(questions)}
    for question, text in zip(questions, asyncio.run(all_at_once())):
        equal(text, expected[question])


@check
def an_async_client_that_leaves_disturbs_nobody():
    async def leave():
        async with openai.AsyncOpenAI(base_url=BASE_URL, api_key="unused", max_retries=0, timeout=120) as many:
            async def short():
                stream = await many.chat.completions.create(
                    model=MODEL, messages=STORY, temperature=1, stream=True, max_tokens=400, extra_body={"ignore_eos": True})
                async for _ in stream:
                    break
                await stream.close()

            async def whole():
                answer = await many.chat.completions.create(model=MODEL, messages=CAPITAL, temperature=0)
                return text_of(answer)

            results = await asyncio.gather(*[short() if index % 2 else whole() for index in range(12)])
            return [text for text in results if text is not None]

    equal(set(asyncio.run(leave())), {text_of(chat())})


if __name__ == "__main__":
    run_all()
