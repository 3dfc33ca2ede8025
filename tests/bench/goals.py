"""What is measured by turns, and what of it is a goal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import filters
from .filters import Filter
from .scene import Alone, Case, Delay, Result

Round = dict[str, Result]  # by the name of the case

SESSIONS = 64
WARM_SAMPLES = 200
DNS_MS = 20


@dataclass(frozen=True)
class Goal:
    """`value` of a round; the median of all rounds is held to `most` or `least`, where there is one."""

    text: str
    value: Callable[[Round], float]
    most: float | None = None
    least: float | None = None

    def is_met(self, figure: float) -> bool:
        return (self.most is None or figure <= self.most) and (self.least is None or figure >= self.least)


@dataclass(frozen=True)
class Group:
    """Cases that run by turns, so that all meet the machine in the same state."""

    name: str
    cases: tuple[Case | Alone, ...]
    goals: tuple[Goal, ...]


@dataclass(frozen=True)
class Length:
    """Of one run."""

    seconds: float
    messages: int  # where each message may come but once
    delayed: int  # messages of a run with delayed answers


FULL = Length(seconds=4, messages=3800, delayed=490)
QUICK = Length(seconds=1, messages=1000, delayed=200)


def groups(program: Path, records: bool, length: Length) -> list[Group]:
    judge = filters.sixgate(program, records)
    return [
        _truth(_unjudged(filters.sixgate(program, records, mode="observe"))),
        _warm(judge, length),
        _cold(judge, length),
        _large(judge, length),
        _latency(judge, length),
        _ipv4(judge, filters.sixgate(program, records, authserv_id=""), length),
        _scale(judge, length),
        _open(judge, length),
        _slow(judge, length),
    ]


def _truth(judge: Filter) -> Group:
    """Not a measurement: senders with faults, and every result must be the true one."""
    case = Case("sixgate", judge, "mixed-4k", {"sessions": 16, "most": 200})
    goal = Goal("Results that are wrong, of senders with and without faults", _wrong("sixgate"), most=0)
    return Group("truth", (case,), (goal,))


def _warm(judge: Filter, length: Length) -> Group:
    cases = [_warm_case(each, length) for each in _everybody(judge)]
    cases.append(_warm_case(filters.FLOOR, length))
    goals = (
        Goal("CPU a message, 4 KB, warm, 64 sessions: to rspamd", _cpu("sixgate", "rspamd"), most=0.5),
        Goal("  to libmilter + libopendkim + libspf2, keys cached", _cpu("sixgate", "floor"), most=1.35),
        Goal("  to opendkim (DKIM alone)", _cpu("sixgate", "opendkim")),
        Goal("  to pyspf-milter (SPF alone)", _cpu("sixgate", "pyspf-milter")),
        Goal("Messages a second, 64 sessions: to rspamd", _ratio("per_second", "sixgate", "rspamd"), least=2),
    )
    return Group("warm", tuple(cases), goals)


def _cold(judge: Filter, length: Length) -> Group:
    """A fresh process, and each message from another sender."""
    options = {"sessions": SESSIONS, "warm-up": SESSIONS, "most": length.messages}
    cases = tuple(Case(each.name, each, "good-4k", options) for each in _everybody(judge))
    goal = Goal("CPU a message, 4 KB, caches empty: to rspamd", _cpu("sixgate", "rspamd"), most=0.5)
    return Group("cold", cases, (goal,))


def _large(judge: Filter, length: Length) -> Group:
    options = {"sessions": 16, "warm-up": 40, "seconds": length.seconds}
    cases = (
        Case("sixgate 1m", judge, "good-1m", options),
        Alone("libopendkim 1m", "good-1m", length.seconds),
        Case("sixgate 50k", judge, "good-50k", {**options, "warm-up": 400}),
        Alone("libopendkim 50k", "good-50k", length.seconds),
    )
    goals = (
        Goal("CPU a message, 1 MB: to libopendkim in process", _cpu("sixgate 1m", "libopendkim 1m"), most=1.2),
        Goal("  50 KB", _cpu("sixgate 50k", "libopendkim 50k")),
    )
    return Group("large", cases, goals)


def _latency(judge: Filter, length: Length) -> Group:
    """So few at a time that none waits for another."""
    options = {"sessions": 1, "rate": 100, "most": length.delayed}
    cases = (
        Case("plain", judge, "good-4k", options, delay=Delay(DNS_MS, DNS_MS)),
        Case("nested", judge, "nested-4k", options, delay=Delay(DNS_MS, DNS_MS)),
    )
    goals = (
        Goal("Message p50, nothing cached: DNS answers of 20 ms", _dns_times("plain"), most=2.2),
        Goal("  with SPF of three nested includes", _dns_times("nested"), most=4.3),
        Goal("DNS questions, nothing cached: to distinct ones", _ratio_in("plain", "questions", "distinct"), most=1),
        Goal("  to those that the checks need", _ratio_in("plain", "questions", "needed"), most=1),
    )
    return Group("latency", cases, goals)


def _ipv4(judge: Filter, without_identity: Filter, length: Length) -> Group:
    options = {**_warm_options(length), "samples": 0}
    accepted = ("connect:accept",)
    cases = (
        Case("sixgate", _unjudged(without_identity), "ipv4-4k", options, verdicts=accepted),
        Case("null, accept", filters.NULL_ACCEPT, "ipv4-4k", options, verdicts=accepted),
        Case("sixgate, removal", _unjudged(judge), "ipv4-4k", options),
        Case("null, headers", filters.NULL_HEADERS, "ipv4-4k", options),
    )
    goals = (
        Goal("CPU, IPv4 client: to accepting at connect", _cpu("sixgate", "null, accept"), most=1.1),
        Goal("  fields looked at: to taking header events", _cpu("sixgate, removal", "null, headers"), most=1.3),
    )
    return Group("ipv4", cases, goals)


def _scale(judge: Filter, length: Length) -> Group:
    sizes = (16, 64, 256, 1000)
    cases = tuple(
        Case(str(size), judge, "good-4k", {**_warm_options(length), "sessions": size, "warm-up": 400 + 2 * size})
        for size in sizes
    )
    names = [str(size) for size in sizes]
    goals = (
        Goal("CPU a message, 16 to 1,000 sessions: most to least", lambda one: _spread(one, names), most=1.15),
        Goal("  1,000 sessions to 16", _cpu("1000", "16")),
        Goal("  threads at 1,000 sessions", lambda one: one["1000"]["threads"]),
    )
    return Group("scale", cases, goals)


def _open(judge: Filter, length: Length) -> Group:
    options = {**_warm_options(length), "sessions": 500, "warm-up": 1400}
    cases = (
        Case("500", judge, "good-4k", options),
        Case("5000", judge, "good-4k", {**options, "idle": 4500}),
    )
    goals = (
        Goal("CPU a message, 5,000 sessions, 500 active: to 500", _cpu("5000", "500")),
        Goal("  KiB of memory a session", lambda one: _session_kib(one["5000"])),
    )
    return Group("open", cases, goals)


def _slow(judge: Filter, length: Length) -> Group:
    options = {"sessions": 1, "rate": 150, "most": 2 * length.delayed}
    cases = (
        Case("even", judge, "slow-4k", options, delay=Delay(DNS_MS, DNS_MS)),
        Case("slow", judge, "slow-4k", options, delay=Delay(DNS_MS, 2000)),
    )

    def value(one: Round) -> float:
        return one["slow"]["kind_ms"]["good"]["p99"] / one["even"]["kind_ms"]["good"]["p99"]

    goal = Goal("p99 of others, one in ten name servers takes 2 s: to none", value, most=1.5)
    return Group("slow", cases, (goal,))


def _everybody(judge: Filter) -> list[Filter]:
    return [judge, filters.RSPAMD, filters.OPENDKIM, filters.PYSPF]


def _warm_options(length: Length) -> dict[str, object]:
    """All senders have been met before the measured part begins, also by each of rspamd's workers."""
    warm_up = 6 * WARM_SAMPLES + 2 * SESSIONS
    return {"sessions": SESSIONS, "samples": WARM_SAMPLES, "warm-up": warm_up, "seconds": length.seconds}


def _warm_case(each: Filter, length: Length) -> Case:
    return Case(each.name, each, "good-4k", _warm_options(length))


def _unjudged(each: Filter) -> Filter:
    return Filter(each.name, each.command, (), each.settles)


def _ratio(figure: str, one: str, other: str) -> Callable[[Round], float]:
    return lambda results: results[one][figure] / results[other][figure]


def _cpu(one: str, other: str) -> Callable[[Round], float]:
    return _ratio("cpu_us", one, other)


def _wrong(case: str) -> Callable[[Round], float]:
    return lambda results: sum(found["wrong"] for found in results[case]["results"].values())


def _dns_times(case: str) -> Callable[[Round], float]:
    return lambda results: results[case]["message_ms"]["p50"] / DNS_MS


def _ratio_in(case: str, one: str, other: str) -> Callable[[Round], float]:
    return lambda results: results[case][one] / results[case][other]


def _spread(one: Round, names: list[str]) -> float:
    costs = [one[name]["cpu_us"] for name in names]
    return max(costs) / min(costs)


def _session_kib(result: Result) -> float:
    return (result["resident_mib"] - result["resident_mib_at_start"]) * 1024 / 5000
