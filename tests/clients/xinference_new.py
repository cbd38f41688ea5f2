"""What the newest synchronous client has besides: `xinference_new.py BASE_URL`."""

import sys
import threading

from checks import check, equal, holds, raises, run_all

from xinference_client import RESTfulClient
from xinference_client.client.restful.restful_client import (
    RESTfulAudioModelHandle, RESTfulFlexibleModelHandle, RESTfulImageModelHandle, RESTfulVideoModelHandle,
)

BASE_URL = sys.argv[1]
CLIENT = RESTfulClient(BASE_URL, api_key="ignored where no key is needed")
UID = "newest"
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
TOOL = {"type": "function", "function": {
    "name": "get_weather", "description": "Weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}}, "required": ["city"]},
}}


def wait_until_ready(uid):
    while True:
        statuses = [instance["status"] for instance in CLIENT.get_instance_info("mimus-chat", uid)]
        assert statuses, "the launch is not listed"
        if statuses == ["READY"]:
            return
        assert statuses[0] in ("CREATING", "LOADING"), statuses
        assert 0.0 <= CLIENT.get_launch_model_progress(uid)["progress"] <= 1.0


@check
def a_launch_is_followed():
    uid = CLIENT.launch_model(
        model_name="mimus-chat", model_engine="vLLM", model_uid=UID, replica=1, n_gpu="auto", request_limits=4,
        wait_ready=False, max_model_len=512, enable_thinking=False, envs={"A": "b"},
    )
    equal(uid, UID)
    wait_until_ready(UID)
    equal(CLIENT.get_launch_model_progress(UID)["progress"], 1.0)
    equal(CLIENT.get_launch_model_progress("nobody")["progress"], 0.0)
    description = CLIENT.describe_model(UID)
    equal((description["context_length"], description["replica"]), (512, 1))
    equal(CLIENT.get_instance_info("mimus-chat", "nobody"), [])


@check
def cancelling_is_for_launches():
    holds(str(raises(RuntimeError, lambda: CLIENT.cancel_launch_model(UID))), "running")
    raises(RuntimeError, lambda: CLIENT.cancel_launch_model("nobody"))


@check
def replicas_come_and_go():
    equal(CLIENT.add_model_replica(UID)["replica_model_uid"], UID + "-rep1")
    equal(CLIENT.describe_model(UID)["replica"], 2)
    equal(CLIENT.add_model_replica(UID, replica=2)["replica"], 2)
    for replica, remaining in [(1, 3), (2, 2), (3, 1)]:
        equal(CLIENT.terminate_model_replica(UID, replica), remaining)
    raises(RuntimeError, lambda: CLIENT.terminate_model_replica(UID, 9))


@check
def tools_are_called():
    model = CLIENT.get_model(UID)
    config = {"max_tokens": 128, "temperature": 0, "tool_choice": "required", "parallel_tool_calls": False}
    answer = model.chat([{"role": "user", "content": "How is the weather in Paris?"}], tools=[TOOL], generate_config=config)
    choice = answer["choices"][0]
    equal((choice["finish_reason"], choice["message"]["tool_calls"][0]["function"]["name"]), ("tool_calls", "get_weather"))


@check
def answers_have_a_shape():
    model = CLIENT.get_model(UID)
    config = {"max_tokens": 16, "guided_choice": ["red", "green"]}
    assert model.chat(QUESTION, generate_config=config)["choices"][0]["message"]["content"] in ("red", "green")
    config = {"max_tokens": 16, "stream": True, "guided_regex": "[0-9]{3}"}
    chunks = list(model.chat(QUESTION, generate_config=config))
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert len(text) == 3 and text.isdigit(), text


@check
def thinking_and_usage_are_asked_for():
    model = CLIENT.get_model(UID)
    config = {"max_tokens": 8, "stream": True, "stream_options": {"include_usage": True}}
    chunks = list(model.chat(QUESTION, enable_thinking=True, generate_config=config))
    equal((chunks[-1]["choices"], chunks[-1]["usage"]["completion_tokens"] > 0), ([], True))


@check
def a_request_is_aborted():
    model = CLIENT.get_model(UID)
    config = {"max_tokens": 400, "stream": True, "request_id": "r-1", "ignore_eos": True}
    chunks = model.chat(QUESTION, generate_config=config)
    next(chunks)
    aborted = []
    thread = threading.Thread(target=lambda: aborted.append(CLIENT.abort_request(UID, "r-1")))
    thread.start()
    try:
        rest = list(chunks)
    except Exception as error:
        holds(str(error), "aborted")
    else:
        # It may have been over before the abortion came.
        assert rest[-1]["choices"][0]["finish_reason"], rest[-1]
    thread.join()
    assert aborted[0]["msg"] in ("DONE", "NOT_FOUND"), aborted
    equal(CLIENT.abort_request(UID, "nobody's", block_duration=0), {"msg": "NOT_FOUND"})
    raises(RuntimeError, lambda: CLIENT.get_progress("nobody's"))


@check
def vectors_come_as_they_are_asked_for():
    uid = CLIENT.launch_model(model_name="mimus-embed", model_type="embedding", model_engine="sentence_transformers")
    model = CLIENT.get_model(uid)
    equal(len(model.create_embedding([[5, 6], [7]])["data"]), 2)
    equal(len(model.create_embedding("a", dimensions=8)["data"][0]["embedding"]), 8)
    assert isinstance(model.create_embedding("a", encoding_format="base64")["data"][0]["embedding"], str)
    equal(model.create_embedding("a b c d e f g", truncate_prompt_tokens=4)["usage"]["prompt_tokens"], 4)
    equal(len(model.create_embedding([{"text": "a"}, "b"])["data"]), 2)
    equal([len(tokens) for tokens in model.convert_ids_to_tokens([[5, 6], [7]])], [2, 1])
    equal(len(model.convert_ids_to_tokens([5, 6])), 2)
    CLIENT.terminate_model(uid)


@check
def the_registry_says_what_runs_where():
    engines = CLIENT.query_engine_by_model_name("mimus-chat")
    assert "vLLM" in engines and engines["Transformers"][0]["model_format"] == "pytorch", engines
    equal(CLIENT.query_engine_by_model_name("nobody"), None)
    assert "mimus-chat" in CLIENT.vllm_models()["chat"]
    detailed = CLIENT.list_model_registrations("LLM", detailed=True)
    (family,) = [family for family in detailed if family["model_name"] == "mimus-chat"]
    assert family["is_builtin"] and family["model_specs"][0]["cache_status"] is True, family


@check
def the_cache_is_listed():
    assert isinstance(CLIENT.list_cached_models(), list)
    equal(CLIENT.list_cached_models("nobody"), [])
    equal(CLIENT.list_deletable_models("nobody")["paths"], [])
    equal(CLIENT.confirm_and_remove_model("nobody"), False)


@check
def the_cluster_is_one_server():
    equal(len(CLIENT.get_workers_info()), 1)
    assert UID + "-rep0" in CLIENT.get_workers_info()[0]["models"]
    assert CLIENT.get_supervisor_info()["supervisor_ip"]
    assert ":" in CLIENT._get_supervisor_internal_address()
    holds(str(raises(RuntimeError, CLIENT.abort_cluster)), "operator")
    CLIENT.login("anybody", "anything")


@check
def upkeep_tells_the_truth():
    uids = [entry["launch"]["model_uid"] for entry in CLIENT.get_autostart_config()["models"]]
    assert UID in uids, uids
    assert {"enabled": True, "model_uid": UID} in CLIENT.get_autostart_model_summary()["models"]
    CLIENT.upsert_autostart_model({"launch": {"model_name": "mimus-chat", "model_uid": UID}})
    holds(str(raises(RuntimeError, lambda: CLIENT.remove_autostart_model(UID))), "Terminate")
    equal(CLIENT.get_model_reload_status(UID), {"status": "idle"})
    equal(CLIENT.get_model_reload_config(UID)["parameters"], {})
    holds(str(raises(RuntimeError, lambda: CLIENT.reload_model(UID, {"max_model_len": 9}))), "reload")


@check
def what_no_engine_makes_is_told():
    image, audio = RESTfulImageModelHandle("sd", BASE_URL, {}), RESTfulAudioModelHandle("sd", BASE_URL, {})
    video, flexible = RESTfulVideoModelHandle("sd", BASE_URL, {}), RESTfulFlexibleModelHandle("sd", BASE_URL, {})
    calls = [
        lambda: image.text_to_image("a boat", size="256*256"),
        lambda: image.image_to_image(b"png", "a boat"),
        lambda: image.inpainting(b"png", b"png", "a boat"),
        lambda: image.image_edit(b"png", "a boat"),
        lambda: image.ocr(b"png"),
        lambda: audio.transcriptions(b"wave"),
        lambda: audio.translations(b"wave"),
        lambda: audio.speech("hello"),
        lambda: audio.speech("hello", prompt_speech=b"wave"),
        lambda: video.text_to_video("a boat"),
        lambda: video.image_to_video(b"png", "a boat"),
        lambda: flexible.infer(1, 2),
    ]
    for call in calls:
        holds(str(raises(RuntimeError, call)), "Model not found in the model list, uid: sd")


@check
def a_model_ends():
    CLIENT.terminate_model(UID)
    assert UID not in CLIENT.list_models()


if __name__ == "__main__":
    run_all()
