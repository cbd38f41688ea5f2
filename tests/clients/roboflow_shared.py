"""What the checks of Roboflow's clients share: their arguments, pictures that are drawn here, and what is in them."""

import base64
import sys
import tempfile
import warnings

import cv2
import numpy as np
from inference_sdk import InferenceConfiguration, InferenceHTTPClient
from PIL import Image

from checks import equal

# Newer clients say once which way they send a key.
warnings.filterwarnings("ignore")

BASE_URL, RELEASE = sys.argv[1].rstrip("/"), sys.argv[2]
IS_NEW = RELEASE != "0.9.23"

DETECTION, SEGMENTATION, CLASSIFICATION, KEYPOINTS = "shapes/1", "shapes-seg/1", "shapes-cls/1", "shapes-kpt/1"
FOLDER = tempfile.mkdtemp(prefix="roboflow-")

# In OpenCV's order: blue, green, red.
RED, BLUE, GREEN, WHITE = (40, 40, 220), (200, 80, 30), (60, 160, 40), (255, 255, 255)


def client(key="any", **configuration):
    """A client with that configuration; pictures go to the server as they are unless it says otherwise."""
    configuration.setdefault("client_downsizing_disabled", True)
    made = InferenceHTTPClient(api_url=BASE_URL, api_key=key)
    return made.configure(InferenceConfiguration(**configuration))


def blank(width=320, height=240):
    return np.full((height, width, 3), 255, np.uint8)


def scene(scale=1):
    """A red circle around (80, 90) and a blue rectangle around (230, 150)."""
    picture = blank(320 * scale, 240 * scale)
    cv2.circle(picture, (80 * scale, 90 * scale), 45 * scale, RED, -1, cv2.LINE_AA)
    cv2.rectangle(picture, (180 * scale, 115 * scale), (280 * scale, 185 * scale), BLUE, -1)
    return picture


def circle():
    picture = blank(256, 256)
    cv2.circle(picture, (128, 128), 80, RED, -1, cv2.LINE_AA)
    return picture


def triangle():
    picture = blank(256, 256)
    cv2.fillPoly(picture, [np.array([(128, 40), (220, 210), (36, 210)])], GREEN, cv2.LINE_AA)
    return picture


def figure():
    """A figure of strokes with its hip at (160, 150) and its feet at (125, 210) and (195, 210)."""
    picture = blank()
    cv2.circle(picture, (160, 50), 22, (0, 0, 0), -1, cv2.LINE_AA)
    neck, hip = (160, 95), (160, 150)
    for start, end in [((160, 72), hip), (neck, (115, 125)), (neck, (205, 125)), (hip, (125, 210)), (hip, (195, 210))]:
        cv2.line(picture, start, end, (0, 0, 0), 8, cv2.LINE_AA)
    return picture


def arrow():
    picture = blank()
    outline = [(60, 110), (200, 110), (200, 80), (260, 120), (200, 160), (200, 130), (60, 130)]
    cv2.fillPoly(picture, [np.array(outline)], BLUE, cv2.LINE_AA)
    return picture


def path(picture, name, **options):
    """A file of the picture."""
    file = "%s/%s" % (FOLDER, name)
    Image.fromarray(picture[:, :, ::-1]).save(file, **options)
    return file


def text(picture):
    """A PNG file of the picture in base64."""
    return base64.b64encode(cv2.imencode(".png", picture)[1].tobytes()).decode()


def classes(answer):
    return sorted(prediction["class"] for prediction in answer["predictions"])


def one(answer, name):
    """The prediction of a class."""
    (found,) = [prediction for prediction in answer["predictions"] if prediction["class"] == name]
    return found


def near(got, expected, by):
    assert abs(got - expected) <= by, "got %r, expected %r give or take %r" % (got, expected, by)


def sees_scene(answer, scale=1):
    """Whether the answer is right about `scene`."""
    equal(classes(answer), ["circle", "rectangle"])
    near(answer["image"]["width"], 320 * scale, scale)
    near(answer["image"]["height"], 240 * scale, scale)
    for name, box in [("circle", (80, 90, 90, 90)), ("rectangle", (230, 150, 100, 70))]:
        for key, value in zip(("x", "y", "width", "height"), box):
            near(one(answer, name)[key], value * scale, 12 * scale)


def is_jpeg(data):
    assert data[:3] == b"\xff\xd8\xff", "no JPEG file: %r" % data[:16]
