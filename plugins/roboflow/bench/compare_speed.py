"""Times whole HTTP requests, JPEG in and JSON out, of this server and of the real Roboflow server, on the same files, by turns in one run.

Usage: python compare_speed.py --mimus ../../../target/release/mimus --weights yolov8n.onnx --peer-python VENV/bin/python [--rounds 5] [--json]

`--weights`: a detector exported to ONNX; a network of YOLOv8n's shape with random weights, as host/engine/onnx/benches/compare_speed.py
writes it, will do: its boxes are no worse to compute. The peer's environment: `pip install "inference-cpu[http]==1.8.3"`.
Prints, for one client and for eight, requests a second and the median time of one, processor seconds a request (which a busy machine
disturbs less), and the most memory each server took.
"""

import argparse
import base64
import concurrent.futures
import http.client
import io
import json
import os
import pathlib
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from PIL import Image, ImageChops, ImageDraw

MODEL = "speed/1"
PEER = """
import sys
from inference.core.interfaces.http.http_api import HttpInterface
from inference.core.managers.base import ModelManager
from inference.core.registries.roboflow import RoboflowModelRegistry
from inference.models.utils import ROBOFLOW_MODEL_TYPES
import uvicorn
app = HttpInterface(ModelManager(model_registry=RoboflowModelRegistry(ROBOFLOW_MODEL_TYPES))).app
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""


def package(folder, weights, classes, size):
    """The weights as a package that both servers read."""
    folder.mkdir(parents=True)
    (folder / "weights.onnx").write_bytes(weights.read_bytes())
    names = [f"class{index}" for index in range(classes)]
    (folder / "class_names.txt").write_text("\n".join(names) + "\n")
    (folder / "model_type.json").write_text(json.dumps({"project_task_type": "object-detection", "model_type": "yolov8n"}))
    resize = {"enabled": True, "width": size, "height": size, "format": "Stretch to"}
    environment = {"PREPROCESSING": {"auto-orient": {"enabled": True}, "resize": resize}, "CLASS_MAP": {str(i): name for i, name in enumerate(names)}, "COLORS": {}, "MULTICLASS": False, "RESOLUTION": size, "BATCH_SIZE": 8}
    (folder / "environment.json").write_text(json.dumps(environment))


def picture():
    """A JPEG of 1280 x 720 with detail at all scales and a little grain, as a photograph has it: some 300 KB."""
    rng = random.Random(3)
    image = Image.new("RGB", (1280, 720), (128, 128, 128))
    for cell in (256, 128, 64, 32, 16, 8, 4, 2):
        size = (1280 // cell + 1, 720 // cell + 1)
        layer = Image.frombytes("RGB", size, rng.randbytes(3 * size[0] * size[1])).resize((1280, 720), Image.BICUBIC)
        image = Image.blend(image, layer, min(0.5, 0.1 + cell / 300))
    grain = Image.effect_noise((1280, 720), 6).convert("RGB")
    image = ImageChops.add(image, grain, offset=-128)
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y, side = rng.randrange(1100), rng.randrange(600), rng.randrange(40, 200)
        draw.ellipse((x, y, x + side, y + side), fill=tuple(rng.randrange(256) for _ in range(3)))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, name, command, port, prefix="", **options):
        self.name, self.port, self.prefix = name, port, prefix
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)

    def cpu_seconds(self):
        """Of the process and the children that it still has."""
        ticks = 0
        for child in [self.process.pid, *children(self.process.pid)]:
            try:
                fields = pathlib.Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()
                ticks += int(fields[11]) + int(fields[12])
            except OSError:
                pass
        return ticks / os.sysconf("SC_CLK_TCK")

    def peak_mib(self):
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024

    def post(self, connection, body):
        connection.request("POST", f"{self.prefix}/infer/object_detection", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{self.name}: {answer.status} {text[:300]}")
        return json.loads(text)

    def wait(self, body):
        """The first answer; it may take long, for the model is loaded with it."""
        for _ in range(600):
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended by itself with status {self.process.returncode}")
            try:
                return self.post(http.client.HTTPConnection("127.0.0.1", self.port, timeout=300), body)
            except OSError:
                time.sleep(0.5)
        sys.exit(f"{self.name} does not answer")

    def burst(self, clients, requests, body):
        """Seconds of each request, of the whole, and of the processor."""
        def client(count):
            connection, times = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300), []
            for _ in range(count):
                begin = time.perf_counter()
                self.post(connection, body)
                times.append(time.perf_counter() - begin)
            return times
        begin, cpu = time.perf_counter(), self.cpu_seconds()
        with concurrent.futures.ThreadPoolExecutor(clients) as pool:
            times = [one for part in pool.map(client, [requests // clients] * clients) for one in part]
        return times, time.perf_counter() - begin, self.cpu_seconds() - cpu


def children(pid):
    try:
        own = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [int(child) for child in own] + [other for child in own for other in children(child)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mimus", type=pathlib.Path, required=True)
    parser.add_argument("--weights", type=pathlib.Path, required=True)
    parser.add_argument("--classes", type=int, default=80)
    parser.add_argument("--size", type=int, default=640)
    parser.add_argument("--peer-python", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=24)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    body = json.dumps({"model_id": MODEL, "api_key": None, "confidence": 0.4, "image": {"type": "base64", "value": base64.b64encode(picture()).decode()}})
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        package(folder / "models" / MODEL, args.weights, args.classes, args.size)
        port = free_port()
        command = [args.mimus.resolve(), "serve", "--listen", f"127.0.0.1:{port}", "--data", ":memory:", "--models", folder / "models"]
        servers = [Server("mimus", command, port, "/roboflow")]
        if args.peer_python:
            port = free_port()
            for part in ("_next/static", "static"):
                (folder / "inference/landing/out" / part).mkdir(parents=True)
            (folder / "peer.py").write_text(PEER)
            environment = {**os.environ, "MODEL_CACHE_DIR": str(folder / "models"), "OFFLINE_MODE": "True", "USE_INFERENCE_MODELS": "False", "METRICS_ENABLED": "False", "TELEMETRY_OPT_OUT": "True", "DISK_CACHE_CLEANUP": "False"}
            servers.append(Server("roboflow 1.8.3", [args.peer_python.absolute(), "peer.py", str(port)], port, cwd=folder, env=environment))
        try:
            for server in servers:
                server.wait(body)
            rows = {(server.name, clients): ([], [], []) for server in servers for clients in (1, 8)}
            for _ in range(args.rounds):
                for clients in (1, 8):
                    for server in servers:
                        times, whole, cpu = server.burst(clients, args.requests, body)
                        count = len(times)
                        for kept, value in zip(rows[server.name, clients], (statistics.median(times) * 1000, count / whole, cpu / count)):
                            kept.append(value)
            peaks = {server.name: server.peak_mib() for server in servers}
        finally:
            for server in servers:
                server.process.terminate()
    middle = {key: [statistics.median(values) for values in kept] for key, kept in rows.items()}
    if args.json:
        print(json.dumps([{"server": name, "clients": clients, "median_ms": ms, "requests_per_s": rate, "cpu_s": cpu, "peak_mib": peaks[name]} for (name, clients), (ms, rate, cpu) in middle.items()]))
        return
    for (name, clients), (ms, rate, cpu) in middle.items():
        print(f"{name:16} {clients} clients: {ms:7.1f} ms a request, {rate:6.2f} requests/s, {cpu:.3f} processor seconds each; at most {peaks[name]:.0f} MiB")
    if len(servers) == 2:
        for clients in (1, 8):
            own, peer = (middle[server.name, clients] for server in servers)
            print(f"with {clients} clients: {own[1] / peer[1]:.2f} times the requests/s, {peer[2] / own[2]:.2f} times less processor time")


if __name__ == "__main__":
    main()
