"""The command line of one release, as its manual shows it: `xinference_terminal.py BASE_URL RELEASE`.

Tables go to the standard error. `chat` and `generate` read their prompts from the standard input; those of 0.5.6 stream through an
actor of the original server and not over HTTP, so there they are asked not to stream.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

from checks import check, equal, holds, run_all

BASE_URL, RELEASE = sys.argv[1], sys.argv[2]
IS_NEW = RELEASE.startswith("4.")
START = "from xinference.deploy.cmdline import cli; cli()"
HOME = tempfile.TemporaryDirectory()
UID = "terminal-" + RELEASE.replace(".", "-")


def run(*arguments, text=None, status=0):
    """What a command prints: standard output and standard error."""
    environment = dict(os.environ, XINFERENCE_ENDPOINT=BASE_URL, XINFERENCE_HOME=HOME.name)
    result = subprocess.run([sys.executable, "-W", "ignore", "-c", START, *arguments], input=text, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, timeout=300)
    assert result.returncode == status, "%s ended with %d:\n%s\n%s" % (
        arguments, result.returncode, result.stdout, result.stderr)
    return result.stdout, result.stderr


def table(text):
    """Rows of a table: its head, then lists of cells by the columns that the dashes mark."""
    lines = text.splitlines()
    (at,) = [index for index, line in enumerate(lines) if re.fullmatch(r"-+( +-+)+ *", line)]
    starts = [match.start() for match in re.finditer(r"-+", lines[at])] + [None]
    cells = lambda line: [line[start:end].strip() for start, end in zip(starts, starts[1:])]
    rows = []
    for line in lines[at + 1:]:
        if not line.strip():
            break
        rows.append(cells(line))
    return cells(lines[at - 1]), rows


def launch(*arguments):
    engine = ["--model-engine", "Transformers"] if IS_NEW and "--model-type" not in arguments else []
    _, told = run("launch", *arguments, *engine)
    (uid,) = re.findall(r"Model uid: (\S+)", told)
    return uid


@check
def registrations_are_tables():
    head, rows = table(run("registrations", "-t", "LLM")[1])
    equal(head, ["Type", "Name", "Language", "Ability", "Is-built-in"])
    (row,) = [row for row in rows if row[1] == "mimus-chat"]
    equal((row[0], row[4]), ("LLM", "True"))
    holds(row[3], "chat")
    head, rows = table(run("registrations", "--model-type", "embedding")[1])
    equal(head, ["Type", "Name", "Language", "Dimensions", "Is-built-in"])
    (row,) = [row for row in rows if row[1] == "mimus-embed"]
    assert int(row[3]) > 0, row
    if IS_NEW:
        head, _ = table(run("registrations", "-t", "rerank")[1])
        equal(head, ["Type", "Name", "Language", "Is-built-in"])


@check
def models_are_launched_and_listed():
    equal(launch("-n", "mimus-chat", "-u", UID, "-f", "pytorch", "-q", "none"), UID)
    embedding = launch("--model-name", "mimus-embed", "--model-type", "embedding", "--model-uid", UID + "-embed")
    told = run("list")[1]
    head, rows = table(told[:told.index("Dimensions")].rsplit("\n", 1)[0])
    equal(head, ["UID", "Type", "Name", "Format", "Size (in billions)", "Quantization"])
    (row,) = [row for row in rows if row[0] == UID]
    equal((row[1:4], row[5]), (["LLM", "mimus-chat", "pytorch"], "none"))
    holds(told, embedding)
    run("terminate", "--model-uid", embedding)
    assert embedding not in run("list")[1]


def stream():
    return [] if IS_NEW else ["--stream", "False"]


@check
def a_prompt_goes_on():
    told, _ = run("generate", "--model-uid", UID, "--max_tokens", "8", *stream(), text="Once upon a time\n\n")
    holds(told, "Completion: Once upon a time" if IS_NEW else "Assistant: Once upon a time")


@check
def a_conversation_is_held():
    lines = "What is the capital of France?\nThank you.\n\n"
    told, _ = run("chat", "--model-uid", UID, "--max_tokens", "24", *stream(), text=lines)
    equal(told.count("Assistant: "), 2)
    holds(told, "Paris")
    if IS_NEW:
        told, _ = run("chat", "--model-uid", UID, "--max_tokens", "24", "--stream", "False", text=lines)
        holds(told, "Paris")


@check
def a_definition_is_registered():
    name = "mine-" + UID
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"version": 1, "model_name": name, "context_length": 512, "model_lang": ["en"], "model_ability": ["chat"],
                   "model_specs": [{"model_format": "pytorch", "model_size_in_billions": 7, "quantizations": ["none"],
                                    "model_id": "nobody/nothing"}]}, file)
        file.flush()
        run("register", "-f", file.name, *(["--persist"] if not IS_NEW else ["-p"]))
    _, rows = table(run("registrations")[1])
    (row,) = [row for row in rows if row[1] == name]
    equal(row[4], "False")
    run("unregister", "-n", name)
    assert name not in run("registrations")[1]


def the_newest_commands_work():
    holds(run("cached")[0], "There are no cache files.")
    holds(run("vllm-models")[0], "mimus-chat")
    head, rows = table(run("engine", "-n", "mimus-chat")[1])
    equal(head, ["Name", "Engine", "Format", "Size (in billions)", "Quantization"])
    assert "vLLM" in [row[1] for row in rows], rows
    holds(run("stop-cluster", "-e", BASE_URL, "--check")[0], "operator")
    run("login", "--username", "anybody", "--password", "anything")
    _, told = run("launch", "-n", "nobody", "--model-engine", "vLLM", status=1)
    holds(told, "Model not found, name: nobody")


if IS_NEW:
    check(the_newest_commands_work)


@check
def a_model_ends():
    run("terminate", "--model-uid", UID)
    assert UID not in run("list")[1]
    _, told = run("terminate", "--model-uid", UID, status=1)
    holds(told, "uid: " + UID)


if __name__ == "__main__":
    run_all()
