"""Where `percent` places a sender, worked out a second time."""

from __future__ import annotations

import hashlib
import hmac

KEY = "the lab's rollout key 12384"  # one by which example.net comes first, and the cast's other domains later


def percentile(domain: str) -> float:
    """Of an organizational domain, from 0 to 100."""
    digest = hmac.new(KEY.encode(), domain.encode(), hashlib.sha256).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53 * 100
