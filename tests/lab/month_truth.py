"""What a report must say of a month, added up from what was sent and from what is known of the senders, and nothing
of what sixgate said."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from .month import Host
from .month_site import Answered

_OUTCOMES = {"accept": "accepted", "tempfail": "tempfailed", "reject": "rejected"}

# Where two are equally frequent the first of them is told.
_REASONS = (
    "reverse_name_missing", "reverse_name_mismatch", "reverse_name_temperror", "unauthenticated",
    "authentication_temperror",
)  # fmt: skip
_KINDS = ("own_range", "null_path", "mailing_list", "forwarded", "direct")

# How what is found begins.
_FOUND = {
    "no ptr": "no PTR record",
    "own range": "no PTR record",
    "ptr elsewhere": "PTR {host.name} leads to 2001:db8:dead::1",
    "ptr without address": "PTR {host.name} has no AAAA record",
    "ptr servfail": "the PTR record cannot be looked up",
    "neither": "SPF none: {host.domain} has no SPF record; no DKIM signature",
    "spf fail": "SPF fail for {host.domain}; no DKIM signature",
    "spf lists ipv4 only": "SPF fail for {host.domain}; no DKIM signature",
    "broken signature": "SPF none: {host.domain} has no SPF record; DKIM fail for {host.domain}",
    "list": "SPF softfail for {host.domain}; no DKIM signature",
    "forwarded": "SPF none: {host.domain} has no SPF record; no DKIM signature",
    "spf servfail": "SPF temperror for {host.domain}",
    "bounces of another name": "SPF none: {host.helo} does not exist; no DKIM signature",
}

# Which part of a report a message belongs to.
Key = Callable[[Answered], Hashable]


def sender_domain_of(host: Host) -> tuple[str, bool]:
    """Its domain, and whether it sends with the null path: then it is the domain in which its host stands."""
    return (host.domain, False) if host.mail_from_domain else (f"mail.{host.domain}", True)


def network_of(host: Host) -> str:
    return str(ipaddress.ip_network((host.address, 64), strict=False))


def standing_of(one: Answered) -> str:
    """Each message has one of these. When nothing but a temporary error stands between it is not counted as refused."""
    if not one.is_checked:
        return "unknown"
    if one.sent.is_spared:
        return "exempt"
    return {"accept": "passing", "tempfail": "temporary", "reject": "falling_short"}[one.sent.enforce]


def foretold_of(one: Answered) -> str | None:
    return one.sent.enforce if one.is_checked else None


def refused_of(messages: Iterable[Answered]) -> list[Answered]:
    return [one for one in messages if standing_of(one) == "falling_short"]


def outcomes_of(actions: Iterable[str | None]) -> dict[str, int]:
    count = Counter(actions)
    return {name: count[action] for action, name in _OUTCOMES.items()}


def counts_of(messages: Sequence[Answered]) -> dict[str, Any]:
    standings = Counter(map(standing_of, messages))
    return {
        "messages": len(messages),
        **{name: standings[name] for name in ("passing", "falling_short", "temporary", "exempt", "unknown")},
        "refused": standings["falling_short"],
        "answered": outcomes_of(one.action for one in messages),
        "foretold": outcomes_of(foretold_of(one) for one in messages),
        "changed": outcomes_of(foretold_of(one) for one in messages if foretold_of(one) != one.action),
    }


def group_of(messages: Sequence[Answered]) -> dict[str, Any]:
    """The moments to the hour: the clock goes on while a moment's messages are sent."""
    refused = refused_of(messages)
    kinds = Counter(one.sent.host.truth.kind for one in refused)
    moments = [one.sent.when.strftime("%Y-%m-%dT%H") for one in messages]
    return {
        **counts_of(messages),
        "first": min(moments),
        "last": max(moments),
        "clients": len({one.sent.host.address for one in messages}),
        "recipients": len({to for one in messages for to in one.sent.recipients}),
        "refused_recipients": len({to for one in refused for to in one.sent.recipients}),
        "refused_kinds": {kind: kinds[kind] for kind in _KINDS},
    }


def total_of(messages: Sequence[Answered]) -> dict[str, Any]:
    refused = refused_of(messages)
    return {
        **group_of(messages),
        "sender_domains": len({sender_domain_of(one.sent.host) for one in messages}),
        "refused_sender_domains": len({sender_domain_of(one.sent.host) for one in refused}),
        "networks": len({network_of(one.sent.host) for one in messages}),
        "refused_networks": len({network_of(one.sent.host) for one in refused}),
    }


def telling(messages: Sequence[Answered]) -> list[Answered]:
    """What is refused; where nothing is, what a temporary error stands before."""
    return refused_of(messages) or [one for one in messages if standing_of(one) == "temporary"]


def most_common(values: Iterable[str], order: Sequence[str]) -> tuple[str, int]:
    count = Counter(values)
    first = max(order, key=lambda value: (count[value], -order.index(value)))
    return first, count[first]


def kind_and_reason_of(messages: Sequence[Answered]) -> dict[str, Any]:
    kind, _ = most_common((one.sent.host.truth.kind for one in telling(messages) or messages), _KINDS)
    if not telling(messages):
        return {"kind": kind, "reason": None}
    reason, number = most_common((one.sent.host.truth.reason for one in telling(messages)), _REASONS)
    return {"kind": kind, "reason": reason, "reason messages": number}


def parted(messages: Iterable[Answered], key: Key) -> dict[Any, list[Answered]]:
    parts: dict[Any, list[Answered]] = {}
    for one in messages:
        parts.setdefault(key(one), []).append(one)
    return parts


def by_sender_domain(messages: Iterable[Answered]) -> dict[Any, list[Answered]]:
    return parted(messages, lambda one: sender_domain_of(one.sent.host))


def by_network(messages: Iterable[Answered]) -> dict[Any, list[Answered]]:
    return parted(messages, lambda one: network_of(one.sent.host))


def by_day(messages: Iterable[Answered]) -> dict[Any, list[Answered]]:
    return parted(messages, lambda one: one.sent.when.strftime("%Y-%m-%d"))


def by_reason(messages: Iterable[Answered]) -> dict[Any, list[Answered]]:
    falling_short = [one for one in messages if one.is_checked and one.sent.host.truth.reason]
    return parted(falling_short, lambda one: one.sent.host.truth.reason)


def differences(report: Mapping[str, Any], answered: Sequence[Answered]) -> list[str]:
    """Between the numbers of a report without a candidate and the truth; empty where it tells the truth."""
    found = _compared("total", report["total"], total_of(answered))
    found += _compared_parts("sender domain", _sender_domains(report), by_sender_domain(answered), _domain_truth)
    found += _compared_parts("network", _networks(report), by_network(answered), _network_truth)
    found += _compared_parts("day", _days(report), by_day(answered), counts_of)
    found += _compared_parts("reason", _reasons(report), by_reason(answered), _reason_truth)
    stages = {row["stage"]: row for row in report["stages"]}
    found += _compared_parts("stage", stages, {"default": answered}, _stage_truth)  # the one that there is
    found += [f"nothing changes its stage: {change}" for change in report["stage_changes"]]
    of_domain, of_network = by_sender_domain(answered), by_network(answered)
    for key, row in _sender_domains(report).items():
        found += _fault_differences(f"sender domain {key}", row["fault"], of_domain.get(key, []))
    for key, row in _networks(report).items():
        found += _fault_differences(f"network {key}", row["fault"], of_network.get(key, []))
    harm = [row["refused"] for row in report["sender_domains"]]
    if harm != sorted(harm, reverse=True):
        found.append("sender domains are not in the order of harm")
    return found


def what_if_differences(foretold: Mapping[str, Any], enforced: Sequence[Answered]) -> list[str]:
    """Between what a report with a candidate foretold, and what the candidate then answered to the same mail."""
    found = _compared("total", foretold["total"], _answers_of(enforced))
    found += _compared_parts("sender domain", _sender_domains(foretold), by_sender_domain(enforced), _answers_of)
    found += _compared_parts("network", _networks(foretold), by_network(enforced), _answers_of)
    found += _compared_parts("day", _days(foretold), by_day(enforced), _answers_of)
    refusable = [one for one in enforced if not one.sent.is_spared]
    return found + _compared_parts("reason", _reasons(foretold), by_reason(refusable), _answers_of)


def text_differences(text: str, answered: Sequence[Answered]) -> list[str]:
    """Between the report for people, of at least 200 columns and with all rows, and the truth."""
    total = total_of(answered)
    known = total["messages"] - total["unknown"]
    foretold, so_far = ([_grouped(total[what][name]) for name in _OUTCOMES.values()] for what in ("foretold", "answered"))
    expected = [
        f"Enforcing would refuse {_grouped(total['refused'])} of {_grouped(known)} messages",
        f"of {_grouped(total['refused_sender_domains'])} sender domains, "
        f"to {_grouped(total['refused_recipients'])} recipients.",
        f"{_grouped(total['refused_kinds']['own_range'])} of them seem to come from hosts of your own",
        "Answered so far: {} accepted, {} tempfailed (4yz), {} rejected (5yz).".format(*so_far),
        "Enforcing would: {} accepted, {} tempfailed (4yz), {} rejected (5yz).".format(*foretold),
    ]
    plain = " ".join(text.split())
    found = [f"the text lacks: {words}" for words in expected if words not in plain]
    words_of = {"judged": "messages", "pass": "passing", "fall short": "falling_short",
                "temporary errors": "temporary", "exempt": "exempt", "unknown": "unknown"}  # fmt: skip
    for words, name in words_of.items():
        if name == "unknown" and not total[name]:
            continue  # that there are such messages is told where there are some
        if not re.search(rf"^  {words} +{_grouped(total[name])}(?: |$)", text, re.MULTILINE):
            found.append(f"the text lacks: {words} {_grouped(total[name])}")
    rows = re.findall(r"^ +\d+  (<> )?(\S+) +([\d,]+) +([\d,]+) +([\d,]+)  ", _table(text), re.MULTILINE)
    told = {(domain, bool(null_path)): numbers for null_path, domain, *numbers in rows}
    for key, messages in by_sender_domain(answered).items():
        group = group_of(messages)
        numbers = [_grouped(group[name]) for name in ("refused", "messages", "refused_recipients")]
        if group["refused"] and told.pop(key, None) != numbers:
            found.append(f"the text has no row with {numbers} for {key}")
    return found + [f"the text has a row for {key}" for key in told]


def _table(text: str) -> str:
    return text.partition("Sender domains that would be refused\n")[2].partition("\n\n")[0]


def _grouped(number: int) -> str:
    return f"{number:,}"


def _sender_domains(report: Mapping[str, Any]) -> dict[Any, Mapping[str, Any]]:
    return {(row["domain"], row["null_path"]): row for row in report["sender_domains"]}


def _networks(report: Mapping[str, Any]) -> dict[Any, Mapping[str, Any]]:
    return {row["network"]: row for row in report["client_networks"]}


def _days(report: Mapping[str, Any]) -> dict[Any, Mapping[str, Any]]:
    return {row["day"]: row for row in report["days"]}


def _reasons(report: Mapping[str, Any]) -> dict[Any, Mapping[str, Any]]:
    return {row["reason"]: row for row in report["reasons"]}


def _answers_of(messages: Sequence[Answered]) -> dict[str, Any]:
    return {"foretold": outcomes_of(one.action for one in messages)}


def _domain_truth(messages: Sequence[Answered]) -> dict[str, Any]:
    networks = {network_of(one.sent.host) for one in messages}
    return {**group_of(messages), "networks": len(networks), **kind_and_reason_of(messages)}


def _network_truth(messages: Sequence[Answered]) -> dict[str, Any]:
    domains = {sender_domain_of(one.sent.host) for one in messages}
    return {**group_of(messages), "sender_domains": len(domains), **kind_and_reason_of(messages)}


def _stage_truth(messages: Sequence[Answered]) -> dict[str, Any]:
    return {**counts_of(messages), "sender_domains": len({sender_domain_of(one.sent.host) for one in messages})}


def _reason_truth(messages: Sequence[Answered]) -> dict[str, Any]:
    others = [one for one in messages if not one.sent.is_spared]
    return {
        "exempt": len(messages) - len(others),
        "foretold": outcomes_of(foretold_of(one) for one in others),
        "sender_domains": len({sender_domain_of(one.sent.host) for one in others}),
    }


def found_of(host: Host) -> tuple[str, str]:
    """What is found of its messages, and of which kind they are."""
    return _FOUND[host.fault].format(host=host), host.truth.kind


def _fault_differences(what: str, fault: Mapping[str, Any] | None, messages: Sequence[Answered]) -> list[str]:
    """Whether what was found is what most have, and whether the remedy is for those who have it."""
    if fault is None:
        return []  # where there should be one, its reason is missing
    hosts = [one.sent.host for one in telling(messages) if one.sent.host.truth.reason == fault["reason"]]
    count = Counter(map(found_of, hosts))
    told = [one for one in count if fault["found"].startswith(one[0]) and fault["kind"] == one[1]]
    if not told or count[told[0]] != max(count.values()):
        return [f"{what}: found is {fault['found']} ({fault['kind']}), and most have {count.most_common(1)}"]
    theirs = {host.address for host in hosts if found_of(host) == told[0]}
    remedy = "\n".join(fault["remedy"])
    named = set(re.findall(r"\b(?:2001:db8|fd00:6):[0-9a-f:]*[0-9a-f]", remedy))
    found = []
    if named - theirs or (not named and told[0][0].startswith(("no PTR", "PTR", "SPF none", "SPF fail"))):
        found.append(f"{what}: the remedy is for {named}, and {theirs} need it")
    if ("[exempt]" in remedy) != (fault["kind"] in ("own_range", "forwarded")):
        found.append(f"{what}: of {fault['kind']}, and the remedy is {remedy}")
    return found


def _compared_parts(
    what: str,
    rows: Mapping[Any, Mapping[str, Any]],
    parts: Mapping[Any, Sequence[Answered]],
    truth: Callable[[Sequence[Answered]], Mapping[str, Any]],
) -> list[str]:
    found = [f"{what} {key}: should not be there" for key in rows.keys() - parts.keys()]
    for key, messages in parts.items():
        if key not in rows:
            found.append(f"{what} {key}: is missing")
        else:
            found += _compared(f"{what} {key}", rows[key], truth(messages))
    return found


def _compared(what: str, row: Mapping[str, Any], truth: Mapping[str, Any]) -> list[str]:
    flat = dict(row)
    if fault := row.get("fault"):
        flat |= {"reason": fault["reason"], "reason messages": fault["messages"]}
    flat.setdefault("reason", None)
    flat |= {name: flat[name][: len("2026-11-22T08")] for name in ("first", "last") if name in flat}
    return [
        f"{what}: {name} is {flat.get(name)}, and should be {value}"
        for name, value in truth.items()
        if flat.get(name) != value
    ]
