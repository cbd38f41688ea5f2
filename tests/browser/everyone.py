"""The page for everyone: by keyboard alone, on a phone, in light and dark, with a screen reader, on a slow network."""

from harness import DESKTOP, PHONE, SERVER, answered, expect, opened

VIEWS = ["chat", "playground", "playground/embeddings", "playground/rerank", "playground/imaging", "dialects", "operations"]

# Uncompressed; the page is meant to stay far below.
BYTES_MAX = 300_000

# Everything that can be pressed or filled in, with what a screen reader would call it.
UNNAMED = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [role], [tabindex]")]
  .filter((node) => (node.checkVisibility() && node.tabIndex >= 0) || node.getAttribute("role") === "img")
  .filter((node) => !node.matches("main, h1"))
  .filter((node) => {
    const labels = [...(node.labels ?? [])].map((label) => label.textContent).join("");
    const ids = (node.getAttribute("aria-labelledby") ?? "").split(" ");
    const by = ids.map((id) => document.getElementById(id)?.textContent ?? "").join("");
    const text = node.matches("input, select, textarea") ? "" : node.textContent;
    return !(node.getAttribute("aria-label") || by || labels || text).trim();
  })
  .map((node) => node.outerHTML.slice(0, 120))"""

# Texts and what is behind them must differ by 4.5 to 1 (WCAG 2.2, 1.4.3).
CONTRASTS = """() => {
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] > 250) return colour;
    }
    return rgba("white");
  };
  const isSeen = (node) => {
    for (let at = node; at; at = at.parentElement) if (Number(getComputedStyle(at).opacity) < 1) return false;
    return node.checkVisibility();
  };
  return [...document.querySelectorAll("body *")]
    .filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim()))
    .filter((node) => !node.closest("svg, .unseen, .skip, noscript, option") && isSeen(node))
    .map((node) => {
      const [one, other] = [light(rgba(getComputedStyle(node).color)), light(behind(node))].sort((a, b) => b - a);
      return [(one + 0.05) / (other + 0.05), node.outerHTML.slice(0, 100)];
    })
    .filter(([ratio]) => ratio < 4.5);
}"""

# Operations, and at once back to the message.
TWO_KEYS = """() => [{ code: "Digit4", key: "4", altKey: true }, { code: "Slash", key: "/" }]
  .forEach((key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { ...key, bubbles: true })))"""

with opened() as web:
    # The whole way by keyboard: skip link, view, message, answer, change it, new conversation, theme.
    page = web.page()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#message")).to_be_focused()
    page.keyboard.type("What is the largest animal?")
    page.keyboard.press("Enter")
    answered(page, 1)
    expect(page.locator("#announcer")).to_contain_text("Answer: ")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("textbox", name="Your message")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#message")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Control+A")
    page.keyboard.type("What is the capital of France?")
    page.keyboard.press("Enter")
    expect(answered(page, 1).locator(".prose")).to_contain_text("Paris")
    page.keyboard.press("Alt+n")
    expect(page.locator(".welcome")).to_be_visible()
    for number, title in enumerate(["Chat", "Playground", "Dialects", "Operations"], 1):
        page.keyboard.press("Alt+%d" % number)
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        expect(page.get_by_role("link", name=title, exact=True)).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.keyboard.press("Alt+n")
    expect(page.locator(".welcome")).to_be_visible()
    # Of two keys pressed before a view is there, the last one counts.
    page.evaluate(TWO_KEYS)
    expect(page.locator("#message")).to_be_focused()
    page.keyboard.press("Escape")
    page.locator("main").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    web.shot(page, "everyone-keys")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()
    # Where the keyboard is can be seen on everything that it reaches.
    page.keyboard.press("Alt+1")
    page.locator("main").focus()
    for _ in range(8):
        page.keyboard.press("Tab")
        outline, name = page.evaluate("""() => {
          const node = document.activeElement;
          return [getComputedStyle(node).outlineStyle, node.id];
        }""")
        # The message field has its frame for this.
        assert outline == "solid" or name == "message", (outline, name)

    # Every view on both sizes and in both colours: nothing without a name, nothing too faint, nothing to be scrolled to the side.
    for scheme in ("light", "dark"):
        for size, name in ((DESKTOP, "desktop"), (PHONE, "phone")):
            page = web.page(viewport=size, color_scheme=scheme, has_touch=size is PHONE)
            page.get_by_role("button", name="A sample drawing").click()
            expect(page.locator(".attachment")).to_be_visible()
            page.press("#message", "Enter")
            answered(page, 1)
            for view in VIEWS:
                page.goto(SERVER + "/#/" + view)
                expect(page.locator(".turn-assistant .overlay, .card, .tile, .bench, .empty").first).to_be_visible()
                if view == "operations":
                    expect(page.locator(".wide-table")).to_have_count(2)
                for button in ("Sort", "Compare"):
                    if page.get_by_role("button", name=button, exact=True).count():
                        page.get_by_role("button", name=button, exact=True).click()
                        expect(page.locator(".bars, .heatmap")).to_be_visible()
                widths = page.evaluate("""() => [document.documentElement, document.querySelector("main")]
                  .map((node) => node.scrollWidth - node.clientWidth)""")
                assert widths == [0, 0], (view, name, widths)
                assert page.evaluate(UNNAMED) == [], (view, name, page.evaluate(UNNAMED))
                assert page.evaluate(CONTRASTS) == [], (view, name, scheme, page.evaluate(CONTRASTS))
                assert page.locator("h1").count() == 1 and page.locator("main").count() == 1
                web.shot(page, "everyone-%s-%s-%s" % (view.replace("/", "-"), name, scheme))
            page.context.close()

    # The switch turns the colours around, and they stay.
    page = web.page(color_scheme="light")
    paper = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Use dark colours").click()
    dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert dark != paper
    page.reload()
    expect(page.get_by_role("button", name="Use light colours")).to_be_visible()
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == dark

    # What is loaded, and how soon something is seen.
    page = web.page()
    page.wait_for_load_state("networkidle")
    figures = page.evaluate("""() => ({
      bytes: [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
        .filter((entry) => !entry.name.includes("/_mimus/")).reduce((sum, entry) => sum + entry.decodedBodySize, 0),
      paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
      files: performance.getEntriesByType("resource").length,
    })""")
    print("the page weighs %(bytes)d bytes in %(files)d files; first contentful paint after %(paint)d ms" % figures)
    assert 10_000 < figures["bytes"] <= BYTES_MAX, figures
    # The second time its files are the browser's own.
    page.reload()
    page.wait_for_load_state("networkidle")
    again = page.evaluate("""() => ({
      fetched: performance.getEntriesByType("resource")
        .filter((entry) => entry.name.includes("page-assets") && entry.transferSize > 0).map((entry) => entry.name),
      paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    })""")
    assert again["fetched"] == [], again
    print("first contentful paint of the second visit after %d ms" % again["paint"])
