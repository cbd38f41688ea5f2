"""Vectors, text, gazes and language with the client of one release: `roboflow_core.py BASE_URL RELEASE`."""

import asyncio

import cv2
import numpy as np
from inference_sdk.http.errors import HTTPCallErrorError, HTTPClientError, InvalidParameterError

from checks import check, equal, holds, raises, run_all
from roboflow_shared import IS_NEW, blank, circle, client, near, path, scene, text, triangle

CLIENT = client()
WORDS = ["a circle", "a triangle", "a star"]


def written(words):
    """A picture with words in black."""
    picture = blank(420, 120)
    cv2.putText(picture, words, (20, 75), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (0, 0, 0), 3, cv2.LINE_AA)
    return picture


def cosine(one, other):
    one, other = np.array(one), np.array(other)
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


@check
def pictures_and_texts_become_vectors():
    answer = CLIENT.get_clip_image_embeddings(path(circle(), "circle.png"))
    for key in ("frame_id", "time", "embeddings"):
        assert key in answer, answer.keys()
    equal(len(answer["embeddings"]), 1)
    size = len(answer["embeddings"][0])
    answers = CLIENT.get_clip_image_embeddings([circle(), triangle()])
    equal([len(answer["embeddings"][0]) for answer in answers], [size, size])
    together = client(max_batch_size=2).get_clip_image_embeddings([circle(), triangle()])
    together = together if isinstance(together, list) else [together]
    vectors = [vector for answer in together for vector in answer["embeddings"]]
    near(cosine(vectors[1], answers[1]["embeddings"][0]), 1.0, 1e-3)
    texts = CLIENT.get_clip_text_embeddings(WORDS)
    equal([len(vector) for vector in texts["embeddings"]], [size] * 3)
    one = CLIENT.get_clip_text_embeddings(WORDS[1])["embeddings"]
    near(cosine(one[0], texts["embeddings"][1]), 1.0, 1e-4)
    by_version = CLIENT.get_clip_text_embeddings(WORDS[1], clip_version="ViT-B-16")["embeddings"]
    near(cosine(one[0], by_version[0]), 1.0, 1e-4)


@check
def likeness_is_measured():
    scores = CLIENT.clip_compare(path(triangle(), "triangle.png"), WORDS)["similarity"]
    equal(len(scores), 3)
    assert all(-1 <= score <= 1 for score in scores), scores
    image = CLIENT.get_clip_image_embeddings(path(triangle(), "triangle.png"))["embeddings"][0]
    for score, vector in zip(scores, CLIENT.get_clip_text_embeddings(WORDS)["embeddings"]):
        near(score, cosine(image, vector), 1e-3)
    equal(len(CLIENT.clip_compare(circle(), "a circle")["similarity"]), 1)
    same = CLIENT.clip_compare("a circle", ["a circle", "a star"], subject_type="text", prompt_type="text")["similarity"]
    near(same[0], 1.0, 1e-4)
    pictures = [path(circle(), "circle.png"), path(triangle(), "triangle.png")]
    among = CLIENT.clip_compare(pictures[0], pictures, subject_type="image", prompt_type="image")["similarity"]
    near(among[0], 1.0, 1e-3)
    assert among[1] < among[0], among
    equal(len(CLIENT.clip_compare("a circle", pictures[0], subject_type="text", prompt_type="image")["similarity"]), 1)
    raises(InvalidParameterError, lambda: CLIENT.clip_compare("a", "b", subject_type="sound"))


@check
def versions_that_are_not_there_are_told():
    error = raises(HTTPCallErrorError, lambda: CLIENT.get_clip_text_embeddings("a", clip_version="RN50x64"))
    equal(error.status_code, 404)
    error = raises(HTTPCallErrorError, lambda: CLIENT.get_clip_text_embeddings("word " * 500))
    equal(error.status_code, 400)


@check
def text_is_read():
    answer = CLIENT.ocr_image(path(written("HELLO"), "hello.png"))
    holds(answer["result"], "hello")
    equal(answer["parent_id"], None)
    assert answer["time"] >= 0, answer
    several = CLIENT.ocr_image([written("HELLO"), written("WORLD")])
    holds(several[0]["result"], "hello")
    holds(several[1]["result"], "world")
    equal(CLIENT.ocr_image(blank())["result"].strip(), "")


@check
def words_have_boxes():
    if not IS_NEW:
        return
    answer = CLIENT.ocr_image(written("HELLO"), generate_bounding_boxes=True)
    equal(answer["image"], {"width": 420, "height": 120})
    kinds = {prediction["class"] for prediction in answer["predictions"]}
    equal(kinds, {"block", "line", "word"})
    word = [prediction for prediction in answer["predictions"] if prediction["class"] == "word"][0]
    near(word["y"], 58, 20)
    for model in ("trocr", "easy_ocr", "pp_ocr"):
        holds(CLIENT.ocr_image(written("HELLO"), model=model)["result"], "hello")
    holds(CLIENT.ocr_image(written("HELLO"), model="easy_ocr", quantize=False, language_codes=["en"])["result"], "hello")


@check
def without_a_model_for_gazes_there_is_advice():
    if IS_NEW:
        raises(HTTPClientError, lambda: CLIENT.detect_gazes(scene()))
        return
    error = raises(HTTPCallErrorError, lambda: CLIENT.detect_gazes(scene()))
    equal(error.status_code, 404)
    holds(error.api_message, "gaze/L2CS")


@check
def without_a_model_of_language_there_is_advice():
    if IS_NEW:
        error = raises(HTTPCallErrorError, lambda: CLIENT.infer_lmm(scene(), model_id="smolvlm2/smolvlm-2.2b-instruct", prompt="what?"))
        path_error = raises(HTTPCallErrorError, lambda: CLIENT.infer_lmm(scene(), model_id="a/b", model_id_in_path=True))
        equal(path_error.status_code, 404)
    else:
        error = raises(HTTPCallErrorError, lambda: CLIENT.prompt_cogvlm(scene(), "what?", chat_history=[("a", "b")]))
    equal(error.status_code, 404)
    holds(error.api_message, "No vision-language model is loaded.")


@check
def what_is_not_there_says_what_is():
    error = raises(HTTPCallErrorError, lambda: CLIENT.infer_from_yolo_world(scene(), class_names=["circle"]))
    equal(error.status_code, 501)
    holds(error.api_message, "/infer/object_detection")
    flow = dict(workspace_name="space", workflow_id="flow", images={"image": text(scene())})
    error = raises(HTTPCallErrorError, lambda: CLIENT.run_workflow(**flow))
    equal(error.status_code, 501)
    if IS_NEW:
        for call in (lambda: CLIENT.sam2_segment_image(scene()), lambda: CLIENT.depth_estimation(scene()),
                     lambda: CLIENT.get_perception_encoder_text_embeddings("a"), CLIENT.list_inference_pipelines):
            equal(raises(HTTPCallErrorError, call).status_code, 501)


@check
def the_first_mode_has_core_models_too():
    legacy = client().select_api_v0()
    assert legacy.get_clip_text_embeddings("a circle")["embeddings"]
    holds(legacy.ocr_image(written("HELLO"))["result"], "hello")


@check
def asynchronous_calls_answer_the_same():
    async def all_of_it():
        assert (await CLIENT.get_clip_image_embeddings_async(circle()))["embeddings"]
        assert (await CLIENT.get_clip_text_embeddings_async("a circle"))["embeddings"]
        equal(len((await CLIENT.clip_compare_async(circle(), WORDS))["similarity"]), 3)
        holds((await CLIENT.ocr_image_async(written("HELLO")))["result"], "hello")

    asyncio.run(all_of_it())


if __name__ == "__main__":
    run_all()
