"""Debian's programs that are not installed: unpacked once into build/, and run from there."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# Sendmail conflicts with Postfix; the filters are daemons that nobody here wants started.
PACKAGES = ("sendmail-bin", "sendmail-cf", "m4", "sasl2-bin", "opendkim", "opendmarc", "dbconfig-no-thanks")

_SCRIPT = Path(__file__).with_name("unpack-packages")


class Unpacked:
    """A folder that stands for "/" in the paths of its programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        return self.folder / name.lstrip("/")

    def command(self, *words: str, environment: Mapping[str, str] | None = None) -> list[str]:
        """The program words[0] of this folder with its libraries."""
        # libopendbx1 is in usr/lib, and rspamd has a folder of its own.
        patterns = ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*", "usr/lib", "usr/lib/rspamd")
        folders = [folder for pattern in patterns for folder in sorted(self.folder.glob(pattern))]
        variables = {"LD_LIBRARY_PATH": ":".join(map(str, folders)), **(environment or {})}
        program = words[0] if Path(words[0]).is_relative_to(self.folder) else str(self.path(words[0]))
        return ["env", *(f"{name}={value}" for name, value in variables.items()), program, *words[1:]]


def unpack(folder: Path, packages: Sequence[str] = PACKAGES) -> Unpacked:
    """Downloads what is missing, so call it before the private network is entered."""
    subprocess.run([str(_SCRIPT), str(folder), *packages], check=True)
    return Unpacked(folder)
