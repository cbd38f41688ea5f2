"""The hub's own Python library, with our cache and with a cache for us.

    python3 hub_cache.py find CACHE REPO SNAPSHOT    finds what we have downloaded, without a network
    python3 hub_cache.py write CACHE REPO ENDPOINT   downloads from a hub
"""

import os
import sys

action, cache, repo, argument = sys.argv[1:]
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
if action == "write":
    os.environ["HF_ENDPOINT"] = argument
else:
    os.environ["HF_HUB_OFFLINE"] = "1"

import huggingface_hub  # noqa: E402  (reads the environment when it is imported)

if action == "find":
    found = huggingface_hub.snapshot_download(repo, cache_dir=cache, local_files_only=True)
    assert os.path.realpath(found) == os.path.realpath(argument), (found, argument)
    config = huggingface_hub.try_to_load_from_cache(repo, "config.json", cache_dir=cache)
    assert isinstance(config, str) and os.path.isfile(config), config
    scanned = huggingface_hub.scan_cache_dir(cache)
    assert not scanned.warnings, scanned.warnings
    (model,) = [found for found in scanned.repos if found.repo_id == repo]
    (revision,) = model.revisions
    assert "main" in revision.refs, revision
    print("found", len(revision.files), "files")
else:
    print("wrote", huggingface_hub.snapshot_download(repo, cache_dir=cache, token=False))
