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
_TIMEOUT = 120  # seconds


def axe_source() -> str:
    """The script that defines `axe`. Where it cannot be had, every call says why, and only the first one tries."""
    source = _source_or_failure()
    assert source.startswith("/*! axe"), source
    return source


@cache
def _source_or_failure() -> str:
    lock_file = _PACKAGE / "package-lock.json"
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "sixgate-tests" / hashlib.sha256(lock_file.read_bytes()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            if failure := _install(folder):
                return f"axe-core cannot be had from npm: {failure}"
            (folder / "complete").touch()
    return (folder / "node_modules/axe-core/axe.min.js").read_text()


def _install(folder: Path) -> str:
    """What went wrong, if anything."""
    for file in _PACKAGE.glob("*.json"):
        shutil.copy(file, folder)
    # "ci" takes what the lock file says, or nothing.
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stderr or "npm ci failed" if done.returncode else ""
