"""Predictions and the list of models with the client of one release: `roboflow_infer.py BASE_URL RELEASE`."""

import asyncio
import base64

import numpy as np
from inference_sdk import InferenceConfiguration, InferenceHTTPClient, VisualisationResponseFormat
from inference_sdk.http.errors import (APIKeyNotProvided, HTTPCallErrorError, HTTPClientError, InvalidModelIdentifier,
                                       ModelNotSelectedError, WrongClientModeError)
from PIL import Image

from checks import check, equal, holds, raises, run_all
from roboflow_shared import (CLASSIFICATION, DETECTION, IS_NEW, KEYPOINTS, SEGMENTATION, arrow, circle, classes,
                             client, figure, is_jpeg, near, one, path, scene, sees_scene, text, triangle)

CLIENT = client()


@check
def the_server_says_who_it_is():
    info = CLIENT.get_server_info()
    equal(info.name, "Roboflow Inference Server")
    assert info.version and info.uuid, info
    equal(CLIENT.get_server_info().uuid, info.uuid)


@check
def models_come_and_go():
    CLIENT.unload_all_models()
    equal(CLIENT.list_loaded_models().models, [])
    loaded = CLIENT.load_model(DETECTION)
    equal([(model.model_id, model.task_type) for model in loaded.models], [(DETECTION, "object-detection")])
    assert isinstance(loaded.models[0].input_height, int), loaded
    equal(CLIENT.load_model(SEGMENTATION, set_as_default=True).models[1].task_type, "instance-segmentation")
    equal(CLIENT.selected_model, SEGMENTATION)
    equal(CLIENT.get_model_description(KEYPOINTS).task_type, "keypoint-detection")
    equal(CLIENT.get_model_description(CLASSIFICATION).task_type, "classification")
    equal([model.model_id for model in CLIENT.unload_model(DETECTION).models], [SEGMENTATION, KEYPOINTS, CLASSIFICATION])
    equal(len(CLIENT.unload_model(DETECTION).models), 3)
    equal(CLIENT.unload_all_models().models, [])
    # What was taken off the list still answers.
    sees_scene(CLIENT.infer(scene(), model_id=DETECTION))
    equal([model.model_id for model in CLIENT.list_loaded_models().models], [DETECTION])


@check
def pictures_come_in_many_forms():
    picture = scene()
    forms = [picture, Image.fromarray(picture[:, :, ::-1]), path(picture, "scene.png"), text(picture)]
    for form in forms:
        answer = CLIENT.infer(form, model_id=DETECTION)
        sees_scene(answer)
        assert answer["time"] >= 0 and answer["inference_id"], answer
        for prediction in answer["predictions"]:
            assert 0.4 <= prediction["confidence"] <= 1 and prediction["detection_id"], prediction
            assert isinstance(prediction["class_id"], int), prediction


@check
def outlines_follow_shapes():
    answer = CLIENT.infer(path(scene(), "scene.png"), model_id=SEGMENTATION)
    sees_scene(answer)
    points = [(point["x"], point["y"]) for point in one(answer, "circle")["points"]]
    area = abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:] + points[:1]))) / 2
    near(area, 3.14159 * 45 * 45, 1300)


@check
def keypoints_have_names():
    answer = CLIENT.infer(path(figure(), "figure.png"), model_id=KEYPOINTS)
    points = {point["class"]: point for point in one(answer, "figure")["keypoints"]}
    equal({point["class_name"] for point in points.values()}, set(points))
    for name, place in [("hip", (160, 150)), ("left foot", (125, 210)), ("right foot", (195, 210))]:
        near(points[name]["x"], place[0], 30)
        near(points[name]["y"], place[1], 30)
    least, most = (choose(point["confidence"] for point in points.values()) for choose in (min, max))
    limit = (least + most) / 2
    with CLIENT.use_configuration(InferenceConfiguration(keypoint_confidence_threshold=limit, client_downsizing_disabled=True)):
        sure = one(CLIENT.infer(path(figure(), "figure.png"), model_id=KEYPOINTS), "figure")["keypoints"]
        equal({point["class"] for point in sure}, {name for name, point in points.items() if point["confidence"] >= limit})
        assert len(sure) < len(points), sure


@check
def classes_are_sorted():
    answer = CLIENT.infer(path(circle(), "circle.png"), model_id=CLASSIFICATION)
    equal(answer["top"], "circle")
    equal(answer["confidence"], answer["predictions"][0]["confidence"])
    with CLIENT.use_configuration(InferenceConfiguration(confidence_threshold=0.0, client_downsizing_disabled=True)):
        scores = [prediction["confidence"] for prediction in CLIENT.infer(circle(), model_id=CLASSIFICATION)["predictions"]]
    equal(scores, sorted(scores, reverse=True))


@check
def batches_keep_their_order():
    pictures = [path(picture, "%d.png" % index) for index, picture in enumerate([circle(), triangle(), circle(), triangle(), circle()])]
    for batch, workers in [(1, 1), (2, 1), (5, 1), (2, 3), (1, 4)]:
        together = client(max_batch_size=batch, max_concurrent_requests=workers)
        answers = together.infer(pictures, model_id=CLASSIFICATION)
        equal([answer["top"] for answer in answers], ["circle", "triangle", "circle", "triangle", "circle"])
    both = client(max_batch_size=2).infer([scene(), path(arrow(), "arrow.png")], model_id=DETECTION)
    sees_scene(both[0])
    equal(classes(both[1]), ["arrow"])


@check
def options_have_effect():
    def ask(model, **options):
        return client(**options).infer(scene(), model_id=model)

    equal(ask(DETECTION, confidence_threshold=1.0)["predictions"], [])
    equal(len(ask(DETECTION, max_detections=1)["predictions"]), 1)
    equal(ask(DETECTION, max_detections=0)["predictions"], [])
    equal(classes(ask(DETECTION, class_filter=["rectangle"])), ["rectangle"])
    equal(ask(DETECTION, class_filter=["no such class"])["predictions"], [])
    equal(len(ask(DETECTION, max_candidates=1)["predictions"]), 1)
    assert len(ask(DETECTION, iou_threshold=1.0, confidence_threshold=0.05)["predictions"]) >= 2
    sees_scene(ask(SEGMENTATION, mask_decode_mode="fast"))
    sees_scene(ask(SEGMENTATION, mask_decode_mode="tradeoff", tradeoff_factor=0.5))
    error = raises(HTTPCallErrorError, lambda: ask(SEGMENTATION, mask_decode_mode="other"))
    equal(error.status_code, 400)
    holds(error.api_message, "Invalid mask decode argument")


def everything(**more):
    """A configuration with a value for every field."""
    fields = dict(
        confidence_threshold=0.3, keypoint_confidence_threshold=0.1, format="json", mask_decode_mode="accurate", tradeoff_factor=0.0,
        max_candidates=300, max_detections=30, iou_threshold=0.3, stroke_width=2, count_inference=False, service_secret="secret",
        disable_preproc_auto_orientation=True, disable_preproc_contrast=True, disable_preproc_grayscale=True,
        disable_preproc_static_crop=True, class_agnostic_nms=True, class_filter=["circle", "rectangle", "figure"], fix_batch_size=True,
        visualize_predictions=True, visualize_labels=True, output_visualisation_format=VisualisationResponseFormat.NUMPY,
        image_extensions_for_directory_scan=["png"], client_downsizing_disabled=True, default_max_input_size=640,
        disable_active_learning=True, active_learning_target_dataset="dataset", max_concurrent_requests=2, max_batch_size=2,
        source="source", source_info="info")
    if IS_NEW:
        fields.update(include_anomaly_map=False, response_mask_format="polygon", allow_reduced_mask_resolution=False,
                      api_key_transport="both")
    fields.update(more)
    return fields


@check
def every_field_at_once():
    for model, picture in [(DETECTION, scene()), (SEGMENTATION, scene()), (KEYPOINTS, figure()), (CLASSIFICATION, circle())]:
        for answer in client(**everything()).infer([picture, picture, picture], model_id=model):
            assert answer["predictions"], answer
            equal(answer["visualization"].shape, picture.shape)
        answer = client(**everything()).select_api_v0().infer(picture, model_id=model)
        assert answer["predictions"], answer
        assert "visualization" not in answer, answer


@check
def predictions_are_drawn_in_three_forms():
    picture = scene()
    drawn = {}
    for form in VisualisationResponseFormat:
        options = dict(visualize_predictions=True, visualize_labels=True, stroke_width=3, output_visualisation_format=form)
        drawn[form] = client(**options).infer(path(picture, "scene.png"), model_id=DETECTION)["visualization"]
    is_jpeg(base64.b64decode(drawn[VisualisationResponseFormat.BASE64]))
    equal(drawn[VisualisationResponseFormat.NUMPY].shape, picture.shape)
    equal(drawn[VisualisationResponseFormat.PILLOW].size, (320, 240))
    changed = np.abs(drawn[VisualisationResponseFormat.NUMPY].astype(int) - picture.astype(int)).max(axis=2) > 60
    # The frame of the rectangle, and nothing where nothing is.
    assert changed[110:190, 176:184].any(), "no frame is drawn"
    assert not changed[215:235, 5:60].any(), "something is drawn beside the shapes"
    several = client(visualize_predictions=True, max_batch_size=2).infer([picture, picture], model_id=DETECTION)
    for answer in several:
        is_jpeg(base64.b64decode(answer["visualization"]))


@check
def the_first_route_answers_as_well():
    legacy = client().select_api_v0()
    answer = legacy.infer(path(scene(), "scene.png"), model_id=DETECTION)
    sees_scene(answer)
    equal(legacy.infer(circle(), model_id=CLASSIFICATION)["top"], "circle")
    assert one(legacy.infer(scene(), model_id=SEGMENTATION), "circle")["points"]
    assert one(legacy.infer(figure(), model_id=KEYPOINTS), "figure")["keypoints"]
    several = legacy.infer([circle(), triangle()], model_id=CLASSIFICATION)
    equal([answer["top"] for answer in several], ["circle", "triangle"])
    # Here 100 is 100 percent, and 1 is 1 percent.
    equal(client(confidence_threshold=100).select_api_v0().infer(scene(), model_id=DETECTION)["predictions"], [])
    assert client(confidence_threshold=1).select_api_v0().infer(scene(), model_id=DETECTION)["predictions"]
    for form, kind in [(VisualisationResponseFormat.BASE64, str), (VisualisationResponseFormat.NUMPY, np.ndarray),
                       (VisualisationResponseFormat.PILLOW, Image.Image)]:
        options = dict(format="image", visualize_labels=True, stroke_width=2, output_visualisation_format=form)
        drawn = client(**options).select_api_v0().infer(scene(), model_id=DETECTION)["visualization"]
        assert isinstance(drawn, kind), type(drawn)
    both = client(format="image_and_json").select_api_v0().infer(scene(), model_id=DETECTION)
    sees_scene(both)
    is_jpeg(base64.b64decode(both["visualization"]))


@check
def large_pictures_are_made_smaller_by_the_client():
    picture = path(scene(4), "large.png")
    whole = CLIENT.infer(picture, model_id=DETECTION)
    smaller = client(client_downsizing_disabled=False).infer(picture, model_id=DETECTION)
    for answer in (whole, smaller):
        sees_scene(answer, 4)
    legacy = client(client_downsizing_disabled=False).select_api_v0()
    sees_scene(legacy.infer(picture, model_id=DETECTION), 4)
    points = one(client(client_downsizing_disabled=False).infer(picture, model_id=SEGMENTATION), "circle")["points"]
    near(max(point["x"] for point in points), 125 * 4, 40)


@check
def pictures_are_turned_as_they_say():
    turned = Image.Exif()
    turned[0x0112] = 6
    picture = path(scene(), "turned.jpg", exif=turned, quality=95)
    equal(CLIENT.infer(picture, model_id=DETECTION)["image"], {"width": 240, "height": 320})
    sees_scene(client(disable_preproc_auto_orientation=True).infer(picture, model_id=DETECTION))


@check
def contexts_put_back_what_was():
    own = client().select_model(DETECTION)
    sees_scene(own.infer(scene()))
    with own.use_model(CLASSIFICATION) as other:
        equal(other.infer(circle())["top"], "circle")
    equal(own.selected_model, DETECTION)
    with own.use_api_v0():
        equal(own.client_mode.value, "v0")
        sees_scene(own.infer(scene()))
        with own.use_api_v1():
            sees_scene(own.infer(scene()))
    equal(own.client_mode.value, "v1")
    with own.use_configuration(InferenceConfiguration(class_filter=["circle"])):
        equal(classes(own.infer(scene())), ["circle"])
    sees_scene(own.infer(scene()))


@check
def mistakes_are_told():
    unknown = raises(HTTPCallErrorError, lambda: CLIENT.infer(scene(), model_id="unknown/1"))
    equal(unknown.status_code, 404)
    holds(unknown.api_message, "resource not found")
    unknown = raises(HTTPCallErrorError, lambda: client().select_api_v0().infer(scene(), model_id="unknown/1"))
    equal(unknown.status_code, 404)
    broken = base64.b64encode(b"this is no picture").decode()
    for mode in (client(), client().select_api_v0()):
        error = raises(HTTPCallErrorError, lambda: mode.infer(broken, model_id=DETECTION))
        equal(error.status_code, 400)
        holds(error.api_message, "Could not load input image. Cause: Malformed base64 input image.")
    several = client(max_batch_size=2)
    error = raises(HTTPCallErrorError, lambda: several.infer([text(scene()), broken], model_id=DETECTION))
    holds(error.api_message, "image 1 of the list")
    raises(ModelNotSelectedError, lambda: client().infer(scene()))
    raises(APIKeyNotProvided, lambda: client(key=None).select_api_v0().infer(scene(), model_id=DETECTION))
    raises(InvalidModelIdentifier, lambda: client().select_api_v0().infer(scene(), model_id="shapes"))
    raises(WrongClientModeError, lambda: client().select_api_v0().list_loaded_models())
    equal(raises(HTTPCallErrorError, lambda: CLIENT.load_model("mimus-chat")).status_code, 400)
    away = InferenceHTTPClient(api_url="http://127.0.0.1:9", api_key="any")
    raises((HTTPClientError, OSError), away.get_server_info)


@check
def no_key_is_needed():
    sees_scene(client(key=None).infer(scene(), model_id=DETECTION))
    if IS_NEW:
        for transport in ("legacy", "both", "header"):
            own = client(api_key_transport=transport)
            own.load_model(DETECTION)
            sees_scene(own.infer(scene(), model_id=DETECTION))
            sees_scene(own.select_api_v0().infer(scene(), model_id=DETECTION))


@check
def masks_are_runs_of_pixels_when_asked_for():
    if not IS_NEW:
        return
    answer = client(response_mask_format="rle").infer(scene(), model_id=SEGMENTATION)
    mask = one(answer, "circle")
    equal((mask["mask_format"], mask["rle"]["size"]), ("rle", [240, 320]))
    assert mask["rle"]["counts"] and "points" not in mask, mask
    coarse = client(mask_decode_mode="fast", allow_reduced_mask_resolution=True).infer(scene(), model_id=SEGMENTATION)
    equal(coarse["original_image"], {"width": 320, "height": 240})
    scale = coarse["mask_metadata"]["scale_x"]
    near(one(coarse, "circle")["x"] * scale, 80, 12)


@check
def asynchronous_calls_answer_the_same():
    async def all_of_it():
        await CLIENT.unload_all_models_async()
        loaded = await CLIENT.load_model_async(DETECTION)
        equal([model.model_id for model in loaded.models], [DETECTION])
        equal((await CLIENT.get_model_description_async(CLASSIFICATION)).task_type, "classification")
        equal(len((await CLIENT.list_loaded_models_async()).models), 2)
        equal(len((await CLIENT.unload_model_async(CLASSIFICATION)).models), 1)
        sees_scene(await CLIENT.infer_async(path(scene(), "scene.png"), model_id=DETECTION))
        together = client(max_batch_size=2, max_concurrent_requests=2)
        answers = await together.infer_async([circle(), triangle(), circle()], model_id=CLASSIFICATION)
        equal([answer["top"] for answer in answers], ["circle", "triangle", "circle"])
        legacy = client().select_api_v0()
        sees_scene(await legacy.infer_async(scene(), model_id=DETECTION))
        drawn = await client(format="image").select_api_v0().infer_async(scene(), model_id=DETECTION)
        is_jpeg(base64.b64decode(drawn["visualization"]))
        try:
            await CLIENT.infer_async(scene(), model_id="unknown/1")
        except HTTPCallErrorError as error:
            equal(error.status_code, 404)
        else:
            raise AssertionError("an unknown model answers")

    asyncio.run(all_of_it())


if __name__ == "__main__":
    run_all()
