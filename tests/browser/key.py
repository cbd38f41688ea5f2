"""A server with keys: the page comes without one, asks for one, and keeps it in the tab."""

from harness import MORE, answered, expect, opened, send

key = MORE[0]

# The browser itself notes each refusal.
REFUSED = ["401 (Unauthorized)"]

with opened() as web:
    page = web.page(allowed_console=REFUSED)
    dialog = page.get_by_role("dialog", name="This server asks for a key")
    expect(dialog).to_be_visible()
    web.shot(page, "key")
    dialog.get_by_label("Key").fill("wrong")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("alert")).to_contain_text("Enter a key of this server.")

    # Asked again with the next request, and right this time.
    page.reload()
    expect(dialog).to_be_visible()
    dialog.get_by_label("Key").fill(key)
    dialog.get_by_role("button", name="Use this key").click()
    expect(page.locator(".picked")).to_have_text("mimus-chat")
    send(page, "What is the largest animal?")
    answered(page, 1)

    # The tab keeps it, and no other place has it.
    page.reload()
    expect(page.locator(".turn-assistant .prose")).not_to_be_empty()
    for view in ("dialects", "operations", "playground"):
        page.goto(page.url.split("#")[0] + "#/" + view)
        expect(page.locator(".card, .tile, .bench").first).to_be_visible()
    expect(dialog).to_be_hidden()
    assert page.evaluate("() => sessionStorage.getItem('mimus.key')") == key
    assert key not in page.evaluate("() => JSON.stringify({ ...localStorage })")
    other = web.page(allowed_console=REFUSED)
    expect(other.get_by_role("dialog", name="This server asks for a key")).to_be_visible()
    other.get_by_role("button", name="Not now").click()
    expect(other.get_by_role("alert")).to_contain_text("Enter a key of this server.")
