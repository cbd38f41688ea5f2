"""Figures that move while requests run, and swaps that appear while somebody looks."""

import os
import pathlib
import re

from harness import MORE, expect, opened

plugins, waiting = (pathlib.Path(path) for path in MORE)

ASK = """(count) => Promise.all(Array.from({ length: count }, () => fetch("/openai/v1/chat/completions", {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ model: "mimus-chat", messages: [{ role: "user", content: "Two steps to build a house?" }] }),
}).then((answer) => answer.json())))"""


def install(name):
    """As a careful operator does: under another name first."""
    part = plugins / ".part"
    part.write_bytes((waiting / name).read_bytes())
    os.rename(part, plugins / "versioned.wasm")


with opened() as web:
    page = web.page("/#/operations")
    expect(page.locator(".tiles")).to_contain_text("ready")
    expect(page.get_by_role("region", name="Models").last.get_by_role("row", name=re.compile("mimus-chat.*ready.*MiB"))).to_be_visible()
    expect(page.get_by_role("region", name="Plugins").last.get_by_role("row", name=re.compile("^openai personality"))).to_be_visible()

    # Requests and tokens a second rise from nothing.
    requests = page.get_by_role("region", name="Requests", exact=True)
    tokens = page.get_by_role("region", name="Tokens", exact=True)
    expect(requests.locator(".chart-number")).to_have_text("0.0/s")
    page.evaluate(ASK, 6)
    expect(requests.locator(".chart-number")).not_to_have_text("0.0/s")
    expect(tokens.get_by_role("img")).to_have_attribute("aria-label", re.compile("Tokens: a second [1-9]"))
    expect(page.get_by_role("region", name="First byte").locator(".chart-number")).to_have_text(re.compile("ms|s · "))
    expect(requests.locator("polyline")).to_be_visible()

    # A swap, and content that is refused: newest first, without a reload.
    swaps = page.get_by_role("list", name="Swaps, the newest first").get_by_role("listitem")
    expect(swaps).to_have_count(1)
    install("good")
    expect(swaps).to_have_count(2)
    expect(swaps.first).to_contain_text("versioned")
    expect(swaps.first).to_contain_text("0.0.1 → 0.0.2")
    install("bad")
    expect(swaps).to_have_count(3)
    expect(swaps.first).to_contain_text("refused")
    expect(swaps.first).to_contain_text("What served before goes on.")
    expect(page.get_by_role("row", name=re.compile("^versioned"))).to_contain_text("active, newest content failed")
    page.get_by_role("list", name="Swaps, the newest first").scroll_into_view_if_needed()
    web.shot(page, "operations")

    # While the page is hidden nothing is asked.
    page.evaluate("""() => {
      Object.defineProperty(document, "hidden", { value: true, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }""")
    page.wait_for_load_state("networkidle")
    before = len(web.requests)
    # Longer than two readings are apart: there is no event for what must not happen.
    page.wait_for_timeout(4000)
    assert len(web.requests) == before, [request.url for request in web.requests[before:]]
    with page.expect_response("**/_mimus/figures"):
        page.evaluate("""() => {
          Object.defineProperty(document, "hidden", { value: false, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""")
