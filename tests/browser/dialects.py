"""Every dialect that is loaded, with its address on this server and snippets that contain it."""

from harness import MORE, SERVER, expect, opened

names = MORE[0].split(",")

# The clients that people look for.
CLIENTS = {"openai": "from openai import OpenAI", "lmdeploy": "APIClient(", "xinference": "RESTfulClient",
           "roboflow": "InferenceHTTPClient", "fastchat": "openai.api_base", "gradio": "gradio_client"}

with opened() as web:
    page = web.page("/#/dialects")
    expect(page.get_by_role("article")).to_have_count(len(names))
    for name in names:
        card = page.get_by_role("article", name=name, exact=True)
        address = "%s/%s" % (SERVER, name)
        expect(card.locator(".address code").first).to_contain_text(address)
        for choice in card.locator(".choice").all():
            choice.click()
            assert address in card.locator(".examples pre").inner_text(), (name, choice.inner_text())
        card.locator(".choice").first.click()
        assert CLIENTS.get(name, "") in card.locator(".examples pre").inner_text(), name
        card.locator("summary").click()
        expect(card.get_by_role("row").first).to_be_visible()
        expect(card.get_by_role("link", name="Documents of %s" % name)).to_have_attribute("href", "/%s/docs" % name)
    expect(page.get_by_role("article", name="versioned").locator("pre")).to_contain_text("curl %s/versioned/" % SERVER)
    expect(page.get_by_role("article", name="openai").get_by_role("row", name="POST /v1/chat/completions").first).to_be_visible()
    expect(page.get_by_role("region", name="Shared paths")).to_contain_text("answered by openai")
    web.shot(page, "dialects")

    # What is copied is the snippet.
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("article", name="openai").get_by_role("button", name="Copy code").click()
    expect(page.locator("#announcer")).to_have_text("Copied code.")
    assert page.evaluate("() => navigator.clipboard.readText()").startswith("from openai import OpenAI")

    # A reader below the page's own mount point is told the same addresses.
    page = web.page("/page/#/dialects")
    expect(page.get_by_role("article", name="openai").locator(".address code").first).to_have_text(SERVER + "/openai/v1")
