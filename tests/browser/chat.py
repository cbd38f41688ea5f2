"""Conversations with the built-in model: asked, asked again, changed, with settings, kept, and several of them."""

import re

from harness import answered, expect, opened, send

with opened() as web:
    page = web.page()
    asked = []
    page.on("request", lambda request: asked.append(request.post_data_json) if "chat/completions" in request.url else None)

    # The model that chats is chosen, and the picker tells what each can do.
    expect(page.locator(".picked")).to_have_text("mimus-chat")
    page.click(".picker")
    picker = page.get_by_role("dialog", name="Choose a model")
    expect(picker.get_by_role("radio", name=re.compile("^mimus-chat.*chats"))).to_be_checked()
    expect(picker.get_by_text("finds objects").first).to_be_visible()
    expect(picker.get_by_text("mimus-embed")).to_be_visible()
    web.shot(page, "chat-picker")
    page.keyboard.press("Escape")
    expect(picker).to_be_hidden()

    # Asked and answered, one piece after the other, with how fast it was.
    page.click("button[aria-label='Settings']")
    page.fill("#set-temperature", "0")
    page.fill("#set-top_p", "0.9")
    page.fill("#set-max_tokens", "40")
    page.fill("#set-seed", "7")
    page.fill("#system", "You are helpful.")
    send(page, "What is the largest animal?")
    first = answered(page, 1)
    expect(first.locator(".prose")).to_contain_text("blue whale")
    expect(first.locator(".figures")).to_contain_text("tokens")
    request = asked[-1]
    assert request["stream"] is True and request["model"] == "mimus-chat", request
    assert (request["temperature"], request["top_p"], request["max_tokens"], request["seed"]) == (0, 0.9, 40, 7), request
    assert request["messages"] == [{"role": "system", "content": "You are helpful."},
                                   {"role": "user", "content": "What is the largest animal?"}], request
    web.shot(page, "chat-settings")

    # What is not a number that fits is not sent; what is empty is left to the model.
    page.fill("#set-temperature", "9")
    expect(page.locator("#set-temperature")).to_have_attribute("aria-invalid", "")
    page.fill("#set-temperature", "")
    page.fill("#set-seed", "")
    page.fill("#set-top_p", "")
    page.fill("#set-max_tokens", "1")
    page.fill("#system", "")
    send(page, "Name three fruits.")
    second = answered(page, 2)
    expect(second).to_contain_text("It stopped at the longest answer")
    assert set(asked[-1]) == {"model", "messages", "stream", "stream_options", "max_tokens"}, asked[-1]
    assert [message["role"] for message in asked[-1]["messages"]] == ["user", "assistant", "user"], asked[-1]

    # Asked again, without the bound.
    page.fill("#set-max_tokens", "")
    second.get_by_role("button", name="Try again").click()
    second = answered(page, 2)
    expect(second).not_to_contain_text("It stopped at the longest answer")
    assert asked[-1]["messages"][-1]["content"] == "Name three fruits."

    # Changed: what came after goes, and the conversation goes on from there.
    page.fill("#set-temperature", "0")
    page.locator(".turn-user").first.hover()
    page.locator(".turn-user").first.get_by_role("button", name="Edit and send again").click()
    page.get_by_role("textbox", name="Your message").fill("What is the capital of France?")
    page.get_by_role("button", name="Send again", exact=True).click()
    changed = answered(page, 1)
    expect(changed.locator(".prose")).to_contain_text("Paris")
    expect(page.locator(".turn-user")).to_have_text(re.compile("capital of France"))

    # Kept: a reload shows it, and a second conversation stands beside it.
    page.reload()
    expect(page.locator(".turn-assistant .prose")).to_contain_text("Paris")
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".welcome")).to_be_visible()
    page.get_by_role("button", name="What is the largest animal?").click()
    answered(page, 1)
    talks = page.get_by_role("complementary", name="Conversations")
    expect(talks.get_by_role("listitem")).to_have_count(2)
    web.shot(page, "chat-two-conversations")
    talks.get_by_role("button", name="What is the capital of France?", exact=True).click()
    expect(page.locator(".turn-assistant .prose")).to_contain_text("Paris")
    talks.get_by_role("button", name="Delete “What is the capital of France?”").click()
    expect(talks.get_by_role("listitem")).to_have_count(1)

    # A model that is gone: said in words, with what to do.
    page.route("**/chat/completions", lambda route: route.fulfill(
        status=404, json={"error": {"message": "The model `mimus-chat` does not exist."}}))
    send(page, "Are you there?")
    expect(page.get_by_role("alert")).to_have_text(
        "The model `mimus-chat` does not exist. Choose another model, or look at the dialects that are loaded.")
    page.unroute("**/chat/completions")
    # The browser itself notes the status.
    web.faults[:] = [fault for fault in web.faults if "404 (Not Found)" not in fault]

    # A question without an answer is no part of what the model is given next.
    send(page, "Name three fruits.")
    answered(page, 3)
    questions = [message["content"] for message in asked[-1]["messages"]][::2]
    assert questions == ["What is the largest animal?", "Name three fruits."], asked[-1]

    # Another model, chosen by keyboard, answers from then on.
    models = page.evaluate("() => fetch('/_mimus/models').then((answer) => answer.json())")
    models["models"].append(dict(models["models"][0], name="other-chat"))
    page.route("**/_mimus/models", lambda route: route.fulfill(json=models))
    page.route("**/chat/completions", lambda route: route.fulfill(
        content_type="text/event-stream",
        body='data: {"choices":[{"index":0,"delta":{"content":"By another."},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'))
    page.reload()
    page.locator(".picker").press("Enter")
    expect(page.get_by_role("radio", name="mimus-chat")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".picked")).to_have_text("other-chat")
    send(page, "Who are you?")
    other = answered(page, 4)
    expect(other.locator(".prose")).to_have_text("By another.")
    expect(other.locator(".who")).to_have_text("other-chat")
    assert asked[-1]["model"] == "other-chat"
