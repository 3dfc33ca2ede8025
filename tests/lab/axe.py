"""axe-core, which finds what keeps people from reading a page: from npm, of the version and with the hash that
axe/package-lock.json names, kept in the user's cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).with_name("axe")


@cache
def axe_source() -> str:
    """The script that defines `axe`."""
    return (_installed() / "node_modules/axe-core/axe.min.js").read_text()


def _installed() -> Path:
    lock_file = _PACKAGE / "package-lock.json"
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "sixgate-tests" / hashlib.sha256(lock_file.read_bytes()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            for file in _PACKAGE.glob("*.json"):
                shutil.copy(file, folder)
            # "ci" takes what the lock file says, or nothing.
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, f"axe-core cannot be had from npm: {done.stderr}"
            (folder / "complete").touch()
    return folder
