"""The newest asynchronous client: `xinference_async.py BASE_URL`."""

import asyncio
import json
import sys

from checks import check, equal, holds, run_all

from xinference_client import AsyncRESTfulClient

BASE_URL = sys.argv[1]
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
CONFIG = {"max_tokens": 24, "temperature": 0}


def with_client(coroutine):
    """A check that runs with a client of its own."""

    def run():
        async def session():
            client = AsyncRESTfulClient(BASE_URL)
            try:
                await coroutine(client)
            finally:
                await client.close()

        asyncio.run(session())

    run.__name__ = coroutine.__name__
    return check(run)


async def fails(awaitable, words):
    try:
        result = await awaitable
    except RuntimeError as error:
        holds(str(error), words)
    else:
        raise AssertionError("nothing was raised; got %r" % (result,))


@with_client
async def a_model_is_launched_and_answers(client):
    uid = await client.launch_model(model_name="mimus-chat", model_engine="SGLang", model_uid="async")
    equal(uid, "async")
    assert uid in await client.list_models()
    model = await client.get_model(uid)
    answer = await model.chat(QUESTION, generate_config=CONFIG)
    whole = answer["choices"][0]["message"]["content"]
    holds(whole, "Paris")
    chunks = [chunk async for chunk in await model.chat(QUESTION, generate_config=dict(CONFIG, stream=True))]
    equal("".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks if chunk["choices"]), whole)
    config = {"max_tokens": 8, "temperature": 0}
    text = (await model.generate("Once upon a time", config))["choices"][0]["text"]
    chunks = [chunk async for chunk in await model.generate("Once upon a time", dict(config, stream=True))]
    equal("".join(chunk["choices"][0]["text"] for chunk in chunks), text)
    await model.close()


@with_client
async def many_ask_at_once(client):
    models = [await client.get_model("async") for _ in range(4)]
    answers = await asyncio.gather(*(model.chat(QUESTION, generate_config=CONFIG) for model in models))
    equal(len({answer["choices"][0]["message"]["content"] for answer in answers}), 1)
    for model in models:
        await model.close()


@with_client
async def texts_become_vectors(client):
    uid = await client.launch_model(model_name="mimus-embed", model_type="embedding")
    model = await client.get_model(uid)
    answer = await model.create_embedding(["a", "b"])
    equal([item["index"] for item in answer["data"]], [0, 1])
    await model.close()
    await client.terminate_model(uid)


@with_client
async def the_registry_is_kept(client):
    names = [entry["model_name"] for entry in await client.list_model_registrations("LLM")]
    assert "mimus-chat" in names
    equal((await client.get_model_registration("embedding", "mimus-embed"))["model_name"], "mimus-embed")
    definition = {"model_name": "mine-async", "dimensions": 8, "max_tokens": 9, "language": ["en"], "model_id": "nobody/nothing"}
    await client.register_model("embedding", json.dumps(definition), False)
    equal((await client.get_model_registration("embedding", "mine-async"))["dimensions"], 8)
    await client.unregister_model("embedding", "mine-async")
    await fails(client.get_model_registration("embedding", "mine-async"), "not found")


@with_client
async def upkeep_is_done(client):
    equal((await client.get_launch_model_progress("async"))["progress"], 1.0)
    equal((await client.get_instance_info("mimus-chat", "async"))[0]["status"], "READY")
    equal((await client.add_model_replica("async"))["replica_id"], 1)
    equal(await client.terminate_model_replica("async", 1), 1)
    assert "async" in json.dumps(await client.get_autostart_config())
    assert "vLLM" in await client.query_engine_by_model_name("mimus-chat")
    equal(await client.abort_request("async", "nobody's"), {"msg": "NOT_FOUND"})
    equal(len(await client.get_workers_info()), 1)
    assert isinstance(await client.list_cached_models(), list)
    await fails(client.abort_cluster(), "operator")


@with_client
async def mistakes_are_told(client):
    await fails(client.launch_model(model_name="nobody", model_engine="vLLM"), "Model not found, name: nobody")
    await fails(client.get_model("nobody"), "uid: nobody")
    await client.terminate_model("async")
    await fails(client.terminate_model("async"), "uid: async")


if __name__ == "__main__":
    run_all()
