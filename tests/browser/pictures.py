"""Pictures dropped into a conversation and looked at."""

import base64
import pathlib
import re

from harness import MORE, PHONE, answered, expect, opened

DROP = """([data, name, target]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type: name.endsWith(".txt") ? "text/plain" : "image/png" }));
  const node = document.querySelector(target);
  for (const kind of ["dragenter", "dragover", "drop"]) {
    node.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }
}"""

PASTE = """([data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
  const paste = new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true });
  document.getElementById("message").dispatchEvent(paste);
}"""


def encoded(path):
    return base64.b64encode(pathlib.Path(path).read_bytes()).decode()


drawing, sign = MORE

with opened() as web:
    page = web.page()

    # Dropped and sent: boxes with labels are drawn where the models found something.
    page.evaluate(DROP, [encoded(drawing), "drawing.png", ".chat-column"])
    expect(page.locator(".attachment")).to_contain_text("drawing.png 148 × 148")
    page.press("#message", "Enter")
    seen = answered(page, 1)
    found = seen.get_by_role("region", name="shapes/1", exact=True)
    expect(found.locator(".overlay rect.box")).to_have_count(3)
    labels = found.locator(".overlay g[data-label]").evaluate_all("all => all.map((one) => one.dataset.label)")
    assert sorted(labels) == ["cross", "cross", "star"], labels
    expect(found.get_by_role("img")).to_have_attribute("aria-label", "2 crosses, 1 star")
    box = found.locator("rect.box").first
    assert abs(float(box.get_attribute("width")) - 30) < 3, "boxes have the picture's own scale"
    expect(seen.get_by_role("region", name="shapes-seg/1", exact=True).locator("polygon.mask").first).to_be_visible()
    expect(seen.get_by_role("region", name="shapes-cls/1", exact=True)).to_contain_text("cross")
    web.shot(page, "pictures-drawing")

    # It is there after a reload, drawn over the small picture that was kept.
    page.reload()
    expect(page.get_by_role("region", name="shapes/1", exact=True).locator("rect.box")).to_have_count(3)

    # Pasted, and taken back.
    page.evaluate(PASTE, [encoded(drawing)])
    expect(page.locator(".attachment")).to_contain_text("pasted.png")
    page.get_by_role("button", name="Remove the picture").click()
    expect(page.locator(".attachment")).to_be_hidden()

    # What is no picture is refused in words.
    page.evaluate(DROP, ["aGVsbG8=", "notes.txt", ".chat-column"])
    expect(page.locator("#notes")).to_have_text("“notes.txt” is no picture. Choose a PNG, JPEG, WebP or GIF file.")
    page.evaluate(DROP, ["aGVsbG8=", "broken.png", ".chat-column"])
    expect(page.locator("#notes")).to_have_text("The browser cannot read this picture. Save it as PNG or JPEG and try again.")

    # A model that sees is asked itself, with the whole file.
    sees = web.page()
    models = sees.evaluate("() => fetch('/_mimus/models').then((answer) => answer.json())")
    models["models"][0]["abilities"].append("vision")
    asked = []

    def answer(route):
        asked.append(route.request.post_data_json)
        route.fulfill(content_type="text/event-stream", body="data: %s\n\ndata: [DONE]\n\n" % (
            '{"choices":[{"index":0,"delta":{"content":"Two crosses and a star."},"finish_reason":"stop"}]}'))

    sees.route("**/_mimus/models", lambda route: route.fulfill(json=models))
    sees.route("**/chat/completions", answer)
    sees.reload()
    expect(sees.locator(".picked")).to_have_text(models["models"][0]["name"])
    sees.evaluate(DROP, [encoded(drawing), "drawing.png", ".chat-column"])
    expect(sees.locator(".attachment")).to_be_visible()
    sees.fill("#message", "What is it?")
    sees.press("#message", "Enter")
    expect(answered(sees, 1).locator(".prose")).to_have_text("Two crosses and a star.")
    assert asked[0]["messages"] == [{"role": "user", "content": [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + encoded(drawing)}}]}], "the picture is not sent"

    # In the playground, with a slider for what is sure enough, and words that are read.
    page = web.page("/#/playground/vision", viewport=PHONE)
    page.evaluate("() => document.querySelector('main').scrollTo(0, 0)")
    expect(page.get_by_role("tab", name="Pictures")).to_have_attribute("aria-selected", "true")
    page.evaluate(DROP, [encoded(drawing), "drawing.png", ".drop"])
    expect(page.locator(".results rect.box")).to_have_count(3)
    page.locator("#confidence").fill("0.9")
    expect(page.locator(".results rect.box")).not_to_have_count(3)
    page.locator("#confidence").fill("1")
    expect(page.locator(".results .summary")).to_have_text("nothing found")
    page.locator("#confidence").fill("0.5")
    page.get_by_label("Model").select_option("shapes-seg/1")
    expect(page.locator(".results polygon.mask").first).to_be_visible()
    web.shot(page, "pictures-playground-phone")
    page.get_by_label("Model").select_option("mimus-read")
    expect(page.get_by_text("reads text")).to_be_visible()
    page.evaluate(DROP, [encoded(sign), "sign.png", ".drop"])
    expect(page.locator(".results .summary")).to_have_text(re.compile("words? read: .+"))
    expect(page.get_by_role("region", name="Text in the picture")).not_to_be_empty()
    web.shot(page, "pictures-text-phone")
