"""Clients that OpenAPI Generator makes of the dialect's own document: `generated_clients.py BASE_URL MODEL FOLDER`.

The Python client is imported and used. The Rust client is checked by the compiler, without features, so that it needs no TLS; its
dependencies are kept built in FOLDER.
"""

import importlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request

from checks import check, equal, holds, raises, run_all

BASE_URL, MODEL, FOLDER = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
DOCUMENT = FOLDER / "openapi.json"
GENERATOR = pathlib.Path(sys.executable).with_name("openapi-generator-cli")
# The document's paths hold the mount point already.
HOST = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(BASE_URL))
CAPITAL = "What is the capital of France?"


def run(command, **options):
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    assert result.returncode == 0, "%s said:\n%s" % (command, result.stdout[-8000:])


def generate(language, *options):
    folder = FOLDER / language
    shutil.rmtree(folder, ignore_errors=True)
    # `java` is looked for on PATH; the generator brings its own.
    run([GENERATOR, "generate", "-i", DOCUMENT, "-g", language, "-o", folder, "--package-name", "lmdeploy_api", *options])
    return folder


@check
def the_document_has_named_schemas():
    with urllib.request.urlopen(BASE_URL + "/openapi.json") as answer:
        document = json.load(answer)
    FOLDER.mkdir(parents=True, exist_ok=True)
    DOCUMENT.write_text(json.dumps(document))
    for name in ("ChatCompletionRequest", "CompletionRequest", "EmbeddingsRequest", "EncodeRequest", "GenerateRequest",
                 "HTTPValidationError", "ValidationError"):
        assert name in document["components"]["schemas"], name


@check
def a_python_client_is_generated_and_used():
    sys.path.insert(0, str(generate("python")))
    sys.dont_write_bytecode = True
    api = importlib.import_module("lmdeploy_api")
    with api.ApiClient(api.Configuration(host=HOST)) as connection:
        client = api.DefaultApi(connection)
        assert MODEL in [card.id for card in client.available_models().data]
        ids = client.encode(api.EncodeRequest(input=api.Texts("Hello there"))).input_ids.actual_instance
        assert ids and all(isinstance(token, int) for token in ids), ids
        message = api.ChatMessage(role="user", content=api.Content(CAPITAL))
        answer = client.chat_completions_v1(
            api.ChatCompletionRequest(model=MODEL, messages=api.Messages([message]), temperature=0))
        holds(answer.choices[0].message.content.actual_instance, "Paris")
        turn = client.chat_interactive_v1(api.GenerateRequest(prompt=api.TurnPrompt(CAPITAL), top_k=1))
        holds(turn.text, "Paris")
        equal((turn.history_tokens, turn.finish_reason), (0, "stop"))
        tokens = client.generate(api.GenerateReqInput(prompt="The capital of France is", max_tokens=3))
        equal(tokens.meta_info.completion_tokens, len(tokens.output_ids))
        completion = client.completions_v1(
            api.CompletionRequest(model=MODEL, prompt=api.CompletionPrompt("Paris is"), max_tokens=3))
        assert isinstance(completion.choices[0].text, str)
        assert client.get_ppl(api.PPLRequest(input=api.ScoredInput(CAPITAL))).ppl > 0
        unknown = api.ChatCompletionRequest(model="none", messages=api.Messages("x"))
        equal(raises(api.ApiException, lambda: client.chat_completions_v1(unknown)).status, 404)


@check
def a_rust_client_is_generated_and_compiles():
    folder = generate("rust", "--library", "reqwest")
    enum = (folder / "src" / "models" / "messages.rs").read_text()
    assert "pub enum Messages" in enum, "a choice of forms became something that holds nothing:\n" + enum
    # The build folder lies in a workspace that the client is no part of.
    with open(folder / "Cargo.toml", "a") as manifest:
        manifest.write("\n[workspace]\n")
    environment = dict(os.environ, CARGO_TARGET_DIR=str(FOLDER / "rust-target"))
    run(["cargo", "check", "--quiet", "--no-default-features"], cwd=folder, env=environment)


if __name__ == "__main__":
    run_all()
