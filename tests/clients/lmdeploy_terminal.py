"""`lmdeploy serve api_client URL` against a running server: `lmdeploy_terminal.py BASE_URL MODEL RELEASE`.

The command is the client module's `main`, a loop over the terminal: lines make up a prompt, an empty line sends it, `end` ends the
session and `exit` leaves as well. Here it reads a pipe. Whether its session lives is asked of the chat route, which refuses the id of
a live session.
"""

import subprocess
import sys

import requests

from checks import check, equal, holds, run_all

BASE_URL, MODEL, RELEASE = sys.argv[1:4]
SESSION = 700 + int(RELEASE.split(".")[1])
PROMPT = ">>> "
START = "from lmdeploy.serve.openai.api_client import main; main(%r, %d)" % (BASE_URL, SESSION)


class Terminal:
    """The command under a pipe."""

    def __enter__(self):
        command = [sys.executable, "-u", "-c", START]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.until_prompt()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def until_prompt(self):
        """What it prints before it asks for the next prompt."""
        text = ""
        while not text.endswith(PROMPT):
            character = self.process.stdout.read(1)
            assert character, "it ended after %r" % text
            text += character
        return text.rsplit("\ndouble enter", 1)[0]

    def write(self, *lines):
        self.process.stdin.write("".join(line + "\n" for line in lines) + "\n")
        self.process.stdin.flush()

    def say(self, *lines):
        self.write(*lines)
        return self.until_prompt()


def is_live():
    body = {"model": MODEL, "messages": "x", "session_id": SESSION, "max_tokens": 1}
    answer = requests.post(BASE_URL + "/v1/chat/completions", json=body).json()
    return "is occupied" in answer.get("message", "")


@check
def a_conversation_in_a_terminal():
    with Terminal() as terminal:
        assert not is_live()
        assert terminal.say("My name is Alice.").strip(), "no answer"
        assert is_live()
        assert terminal.say("What is", "my name?").strip(), "no answer to two lines"
        terminal.say("end")
        assert not is_live(), "`end` has not ended the session"
        assert terminal.say("What is the capital of France?").strip(), "no answer after `end`"
        assert is_live()
        terminal.write("exit")
        rest, _ = terminal.process.communicate(timeout=60)
        equal(terminal.process.returncode, 0)
        assert "Traceback" not in rest, rest
        assert not is_live(), "`exit` has not ended the session"


@check
def a_turn_that_is_too_long_is_told():
    with Terminal() as terminal:
        holds(terminal.say("word " * 20000), "exceed session max length")
        terminal.write("exit")
        terminal.process.communicate(timeout=60)
        equal(terminal.process.returncode, 0)


if __name__ == "__main__":
    run_all()
