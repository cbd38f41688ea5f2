"""Logging in to a server that asks for a key: `xinference_login.py BASE_URL KEY`."""

import asyncio
import sys

from checks import check, equal, holds, raises, run_all

from xinference_client import AsyncRESTfulClient, RESTfulClient

BASE_URL, KEY = sys.argv[1], sys.argv[2]


def works(client):
    assert "mimus-chat" in client.list_models()
    answer = client.get_model("mimus-chat").chat([{"role": "user", "content": "Hello"}], generate_config={"max_tokens": 2})
    equal(answer["object"], "chat.completion")


@check
def the_key_is_the_clients():
    works(RESTfulClient(BASE_URL, api_key=KEY))


@check
def the_key_is_the_password():
    client = RESTfulClient(BASE_URL)
    raises(RuntimeError, client.list_models)
    client.login("anybody", KEY)
    works(client)


@check
def other_keys_open_nothing():
    holds(str(raises(RuntimeError, RESTfulClient(BASE_URL, api_key="guess").list_models)), "Failed to list model, detail: ")
    error = raises(RuntimeError, lambda: RESTfulClient(BASE_URL).login("anybody", "guess"))
    holds(str(error), "Incorrect username or password")


@check
def the_asynchronous_client_logs_in():
    async def session():
        client = AsyncRESTfulClient(BASE_URL)
        try:
            await client.login("anybody", KEY)
            assert "mimus-chat" in await client.list_models()
        finally:
            await client.close()

    asyncio.run(session())


if __name__ == "__main__":
    run_all()
