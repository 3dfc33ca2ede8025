"""Each test has a program, name servers, a zone and a journal of its own. No root is needed.

The program is SIXGATE, or build/dev/sixgate.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.fixtures import gate  # noqa: E402, F401
