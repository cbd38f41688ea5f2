"""A server that asks for a key, with the client of one release: `roboflow_keys.py BASE_URL RELEASE KEY`."""

import asyncio
import sys

from inference_sdk.http.errors import HTTPCallErrorError

from checks import check, equal, raises, run_all
from roboflow_shared import DETECTION, IS_NEW, client, scene, sees_scene

KEY = sys.argv[3]


def use(own):
    sees_scene(own.infer(scene(), model_id=DETECTION))
    assert own.get_clip_text_embeddings("a circle")["embeddings"]
    assert own.ocr_image(scene()) is not None
    own.clip_compare(scene(), "a circle")


@check
def the_right_key_opens():
    own = client(key=KEY)
    own.load_model(DETECTION)
    use(own)
    use(own.select_api_v0())
    sees_scene(asyncio.run(client(key=KEY).select_api_v0().infer_async(scene(), model_id=DETECTION)))


@check
def a_key_in_a_header_opens():
    if not IS_NEW:
        return
    for transport in ("both", "header"):
        own = client(key=KEY, api_key_transport=transport)
        own.load_model(DETECTION)
        own.list_loaded_models()
        own.unload_model(DETECTION)
        own.unload_all_models()
        use(own)
        use(own.select_api_v0())


@check
def other_keys_do_not():
    for key in ("wrong", None):
        own = client(key=key)
        own.get_server_info()
        for call in (lambda: own.load_model(DETECTION), lambda: own.get_clip_text_embeddings("a"), lambda: own.ocr_image(scene())):
            equal(raises(HTTPCallErrorError, call).status_code, 401)
    legacy = client(key="wrong").select_api_v0()
    equal(raises(HTTPCallErrorError, lambda: legacy.infer(scene(), model_id=DETECTION)).status_code, 401)


if __name__ == "__main__":
    run_all()
