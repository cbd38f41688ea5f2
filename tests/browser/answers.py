"""Answers while they are written, by a server of the test's own that writes slowly and badly: stopped, broken off, and full of what
pages must not run."""

import http.server
import json
import threading

from harness import answered, expect, opened, send

HOSTILE = """# Hello <img src=x onerror=alert(1)>

<script>document.title = "taken"</script>
[press me](javascript:document.title='taken') [data](data:text/html,<script>alert(1)</script>) [good](https://example.org/a_(b))
![watch](https://example.org/pixel.png) <https://example.org> **bold *and* more**, `<b>code</b>`

| a | b |
|---|---|
| <iframe src="https://example.org"> | 2 |

```html
<script>alert("inside")</script>
```

1. one
   - inner
2. two

> said
"""


class Scripted(http.server.BaseHTTPRequestHandler):
    """Writes pieces of `text` and then waits at `gate` before the last ones."""

    text, gate, left, reasoning, breaks = "", threading.Event(), threading.Event(), "", False

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        script = type(self)
        try:
            if script.reasoning:
                self.piece({"reasoning_content": script.reasoning})
            middle = len(script.text) // 2
            self.piece({"content": script.text[:middle]})
            while not script.gate.wait(0.05):
                self.wfile.write(b": still here\n\n")
                self.wfile.flush()
            if script.breaks:
                return
            self.piece({"content": script.text[middle:]})
            self.piece({}, "stop")
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            script.left.set()

    def piece(self, delta, reason=None):
        chunk = {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        self.wfile.write(b"data: %s\n\n" % json.dumps(chunk).encode())
        self.wfile.flush()

    def log_message(self, *_):
        pass


scripted = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
threading.Thread(target=scripted.serve_forever, daemon=True).start()
place = "http://127.0.0.1:%d/" % scripted.server_port

with opened() as web:
    page = web.page()
    page.route("**/chat/completions", lambda route: route.continue_(url=place))

    # What is written is shown before the rest is there, and stays when it is stopped; the server is told.
    Scripted.text = "The beginning of a long answer, and its end."
    send(page, "Tell me something long.")
    expect(page.locator(".turn-assistant .prose")).to_have_text("The beginning of a lon")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    stopped = answered(page, 1)
    expect(stopped).to_contain_text("The beginning of a lon")
    expect(stopped).to_contain_text("Stopped.")
    assert Scripted.left.wait(60), "the server goes on writing"

    # The button stops as well.
    send(page, "Once more.")
    expect(page.locator(".turn-assistant .prose")).to_have_count(2)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(answered(page, 2)).to_contain_text("Stopped.")

    # Thoughts are folded once the answer is there.
    Scripted.reasoning = "First I *think*."
    Scripted.gate.set()
    send(page, "Think.")
    thoughtful = answered(page, 3)
    expect(thoughtful.locator("details")).not_to_have_attribute("open", "")
    thoughtful.get_by_text("Thoughts before the answer").click()
    expect(thoughtful.locator("details em")).to_have_text("think")
    expect(thoughtful.locator("> .prose")).to_have_text(Scripted.text)

    # An answer that breaks off says so.
    Scripted.reasoning, Scripted.breaks = "", True
    send(page, "Break.")
    expect(answered(page, 4).get_by_role("alert")).to_have_text("The answer broke off. Try again.")
    Scripted.breaks = False

    # Whatever a model writes is text: no script runs, nothing is loaded, no link leads into the page.
    Scripted.text = HOSTILE
    send(page, "Do your worst.")
    hostile = answered(page, 5)
    expect(hostile.locator("h3")).to_have_text("Hello <img src=x onerror=alert(1)>")
    assert page.title() == "Chat · Mimus", page.title()
    for tag in ("script", "iframe", "img", "object", "form"):
        assert hostile.locator(tag).count() == 0, tag
    links = hostile.locator("a").evaluate_all("links => links.map(a => [a.textContent, a.href, a.rel, a.target])")
    addresses = {text: address for text, address, _, _ in links}
    assert addresses["good"] == "https://example.org/a_(b)" and "press me" not in addresses and "data" not in addresses, links
    assert all(address.startswith("https://example.org") and rel == "noopener noreferrer nofollow" and target == "_blank"
               for _, address, rel, target in links), links
    hostile.get_by_text("press me").click()
    assert page.title() == "Chat · Mimus"
    expect(hostile.locator("pre code")).to_have_text('<script>alert("inside")</script>')
    expect(hostile.locator("ol ul li")).to_have_text("inner")
    expect(hostile.locator("blockquote")).to_have_text("said")
    expect(hostile.locator("td").first).to_have_text('<iframe src="https://example.org">')
    expect(hostile.locator("strong em")).to_have_text("and")
    hostile.scroll_into_view_if_needed()
    web.shot(page, "answers-hostile")

    # Marks that never close, and thousands of them inside each other, are shown and do not stop the page.
    Scripted.text = "*_" * 4000 + "[" * 3000 + "\n\n" + "> " * 500 + "deep\n\n" + "- " * 500 + "\n\n#" + " " * 50_000 + "x"
    send(page, "And this?")
    expect(answered(page, 6)).to_contain_text("deep")
