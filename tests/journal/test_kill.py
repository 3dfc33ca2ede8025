"""SIGKILL at random moments under load: no damage, and no more lost than the last second."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count

from lab.gate import DOMAIN, RECIPIENT, Gate
from lab.journal import integrity, senders
from lab.milter import MilterError
from lab.site import program_from_environment

KILLS = 50
LANES = 5  # at once, each with a program and a database of its own
WORST_LOSS = 1.0  # seconds


@dataclass(frozen=True)
class Answered:
    sender: str
    time: float


def test_fifty_kills_damage_nothing_and_lose_the_last_second_at_most() -> None:
    with ThreadPoolExecutor(LANES) as pool:
        written = list(pool.map(lane, range(LANES)))
    assert min(written) > 100, written  # there was load


def lane(number: int) -> int:
    """How many entries there are after KILLS / LANES kills."""
    chance = random.Random(number)
    numbers = count()
    with Gate(program_from_environment("dev")) as gate:
        kept: list[Answered] = []
        for _ in range(KILLS // LANES):
            gate.start(f'mode = "observe"\n{gate.sixgate.store_settings}addresses = "full"')
            answered, killed = load_until_killed(gate, numbers, chance.uniform(0.02, 2.5))
            assert integrity(gate.sixgate.store_file) == "ok"
            stored = senders(gate.sixgate.store_file)
            assert len(stored) == len(set(stored))
            safe = [answer for answer in answered if answer.time < killed - WORST_LOSS]
            assert {answer.sender for answer in safe} <= set(stored)
            assert {answer.sender for answer in kept} <= set(stored)  # of the runs before
            kept = [answer for answer in kept + answered if answer.sender in set(stored)]
        return len(kept)


def load_until_killed(gate: Gate, numbers: Iterator[int], seconds: float) -> tuple[list[Answered], float]:
    answered: list[Answered] = []

    def send() -> None:
        content = gate.message().content
        try:
            while True:
                sender = f"sender-{next(numbers)}"
                with gate.connect() as milter:
                    milter.transaction(f"<{sender}@{DOMAIN}>", [RECIPIENT], content)
                answered.append(Answered(sender, time.monotonic()))
        except (OSError, MilterError):
            pass  # killed

    sending = threading.Thread(target=send)
    sending.start()
    time.sleep(seconds)
    killed = time.monotonic()
    gate.sixgate.kill()
    sending.join()
    return answered, killed
