"""Folders and videos with the client of one release: `roboflow_streams.py BASE_URL RELEASE`."""

import os

import cv2

from checks import check, equal, run_all
from roboflow_shared import CLASSIFICATION, DETECTION, FOLDER, circle, client, scene, sees_scene, triangle

FRAMES = 6


@check
def a_folder_is_looked_through():
    folder = FOLDER + "/pictures"
    os.mkdir(folder)
    for name, picture in [("a.png", circle()), ("b.jpg", triangle()), ("c.JPEG", circle()), ("notes.txt", None)]:
        if picture is None:
            open("%s/%s" % (folder, name), "w").close()
        else:
            file = cv2.imencode(".png" if name.endswith("png") else ".jpg", picture)[1].tobytes()
            with open("%s/%s" % (folder, name), "wb") as opened:
                opened.write(file)
    for mode in (client(), client().select_api_v0()):
        tops = {os.path.basename(str(place)): answer["top"] for place, _, answer in mode.infer_on_stream(folder, model_id=CLASSIFICATION)}
        equal(tops, {"a.png": "circle", "b.jpg": "triangle", "c.JPEG": "circle"})


@check
def a_video_is_looked_through():
    file = FOLDER + "/video.avi"
    writer = cv2.VideoWriter(file, cv2.VideoWriter_fourcc(*"MJPG"), 10, (320, 240))
    assert writer.isOpened(), "OpenCV cannot write a video here"
    for _ in range(FRAMES):
        writer.write(scene())
    writer.release()
    indices = []
    for index, frame, answer in client().select_model(DETECTION).infer_on_stream(file):
        indices.append(index)
        equal(frame.shape, (240, 320, 3))
        sees_scene(answer)
    equal(indices, list(range(FRAMES)))


if __name__ == "__main__":
    run_all()
