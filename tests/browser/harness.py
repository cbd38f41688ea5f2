"""A browser for the scripts beside this one.

    with opened() as web:
        page = web.page()

What must hold in every script is checked when it ends: the console stayed empty, no script failed, and the page asked
nothing of any other place than the server.
"""

import contextlib
import fcntl
import os
import pathlib
import shutil
import subprocess
import sys
import urllib.parse

from playwright.sync_api import expect, sync_playwright

SERVER = sys.argv[1]
SHOTS = pathlib.Path(sys.argv[2])
MORE = sys.argv[3:]

# Longest wait for anything, in milliseconds: other tests keep the processors busy.
PATIENCE_MS = 60_000

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}

expect.set_options(timeout=PATIENCE_MS)


class Web:
    """An open browser, and what its pages must not have done."""

    def __init__(self, browser):
        self.browser = browser
        self.faults = []
        self.requests = []

    def page(self, path="/", wait=True, allowed_console=(), **options):
        """A page with nothing stored, at a path of the server. Words in `allowed_console` excuse messages that hold one of them."""
        options.setdefault("viewport", DESKTOP)
        page = self.browser.new_context(reduced_motion="reduce", **options).new_page()
        page.set_default_timeout(PATIENCE_MS)

        def on_console(message):
            if not any(words in message.text for words in allowed_console):
                self.faults.append("console %s: %s" % (message.type, message.text))

        def on_request(request):
            self.requests.append(request)
            url = urllib.parse.urlsplit(request.url)
            if url.scheme in ("http", "https", "ws", "wss") and "%s://%s" % (url.scheme, url.netloc) != SERVER:
                self.faults.append("asked another place: " + request.url)

        page.on("console", on_console)
        page.on("pageerror", lambda error: self.faults.append("script: %s" % error))
        page.on("request", on_request)
        page.goto(SERVER + path)
        if wait:
            page.wait_for_selector("main h1", state="attached")
        return page

    def shot(self, page, name):
        """Keeps what the page looks like."""
        path = SHOTS / ("%s.png" % name)
        page.screenshot(path=path)
        print("screenshot:", path)


@contextlib.contextmanager
def opened():
    """The browser; closed at the end, when everything that it noted must be nothing."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=FLAGS)
        web = Web(browser)
        yield web
        browser.close()
        assert not web.faults, "\n".join(web.faults)


def chromium():
    """The system's Chromium, which is installed where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    install = "apt-get update && apt-get install -y --no-install-recommends chromium"
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    # One of many scripts at once does it; the others wait.
    with open(SHOTS / "chromium.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shutil.which("chromium"):
            done = subprocess.run(install, shell=True, env=environment, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode != 0:
                sys.exit("the browser tests need Chromium, and `%s` said:\n%s\nInstall Chromium and run them again."
                         % (install, done.stdout[-2000:]))
    return shutil.which("chromium")


def send(page, text):
    """Writes a message and sends it with the keyboard."""
    page.fill("#message", text)
    page.press("#message", "Enter")


def answered(page, count):
    """Waits until there are so many answers and none is being written."""
    expect(page.locator(".turn-assistant")).to_have_count(count)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    return page.locator(".turn-assistant").nth(count - 1)
