"""What a report must say of a month, added up from what was sent and from what is known of the senders, and nothing
of what sixgate said."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from .month import Host
from .month_site import Answered

_OUTCOMES = {"accept": "accepted", "tempfail": "tempfailed", "reject": "rejected"}

# Which part of a report a message belongs to.
Key = Callable[[Answered], Hashable]


def sender_domain_of(host: Host) -> tuple[str, bool]:
    """Its domain, and whether it sends with the null path: then it is the domain in which its host stands."""
    return (host.domain, False) if host.mail_from_domain else (f"mail.{host.domain}", True)


def network_of(host: Host) -> str:
    return str(ipaddress.ip_network((host.address, 64), strict=False))


def counts_of(messages: Sequence[Answered]) -> dict[str, Any]:
    """When nothing but a temporary error stands between, a message is not counted as refused."""
    enforced = Counter(one.sent.host.truth.enforce for one in messages)
    answered = Counter(one.action for one in messages)
    refused = enforced["reject"]
    return {
        "messages": len(messages),
        "passing": enforced["accept"],
        "falling_short": refused,
        "temporary": enforced["tempfail"],
        "exempt": 0,
        "unknown": 0,
        "refused": refused,
        "answered": {name: answered[action] for action, name in _OUTCOMES.items()},
        "foretold": {name: enforced[action] for action, name in _OUTCOMES.items()},
    }


def group_of(messages: Sequence[Answered]) -> dict[str, Any]:
    refused = [one for one in messages if one.sent.host.truth.enforce == "reject"]
    return {
        **counts_of(messages),
        "clients": len({one.sent.host.address for one in messages}),
        "recipients": len({to for one in messages for to in one.sent.recipients}),
        "refused_recipients": len({to for one in refused for to in one.sent.recipients}),
    }


def kind_and_reason_of(messages: Sequence[Answered]) -> dict[str, Any]:
    """Of what is refused; where nothing is, of what a temporary error stands before; else of all."""
    for action in ("reject", "tempfail"):
        telling = [one.sent.host.truth for one in messages if one.sent.host.truth.enforce == action]
        if telling:
            reason, number = Counter(truth.reason for truth in telling).most_common(1)[0]
            kind = Counter(truth.kind for truth in telling).most_common(1)[0][0]
            return {"kind": kind, "reason": reason, "reason messages": number}
    return {"kind": Counter(one.sent.host.truth.kind for one in messages).most_common(1)[0][0], "reason": None}


def parted(messages: Iterable[Answered], key: Key) -> dict[Hashable, list[Answered]]:
    parts: dict[Hashable, list[Answered]] = {}
    for one in messages:
        parts.setdefault(key(one), []).append(one)
    return parts


def differences(report: Mapping[str, Any], answered: Sequence[Answered]) -> list[str]:
    """Between the numbers of a report without a candidate and the truth; empty where it tells the truth."""
    found = _compared("total", report["total"], group_of(answered))
    by_domain = parted(answered, lambda one: sender_domain_of(one.sent.host))
    by_network = parted(answered, lambda one: network_of(one.sent.host))
    by_day = parted(answered, lambda one: one.sent.when.strftime("%Y-%m-%d"))
    falling_short = [one for one in answered if one.sent.host.truth.reason]
    by_stage = {"default": answered}  # the one that there is
    by_reason = parted(falling_short, lambda one: one.sent.host.truth.reason)

    rows = {(row["domain"], row["null_path"]): row for row in report["sender_domains"]}
    found += _compared_parts("sender domain", rows, by_domain, _domain_truth)
    rows = {row["network"]: row for row in report["client_networks"]}
    found += _compared_parts("network", rows, by_network, _network_truth)
    found += _compared_parts("day", {row["day"]: row for row in report["days"]}, by_day, counts_of)
    found += _compared_parts("reason", {row["reason"]: row for row in report["reasons"]}, by_reason, _reason_truth)
    found += _compared_parts("stage", {row["stage"]: row for row in report["stages"]}, by_stage, _stage_truth)
    found += [f"nothing changes its stage: {change}" for change in report["stage_changes"]]
    harm = [row["refused"] for row in report["sender_domains"]]
    if harm != sorted(harm, reverse=True):
        found.append("sender domains are not in the order of harm")
    return found


def what_if_differences(foretold: Mapping[str, Any], enforced: Sequence[Answered]) -> list[str]:
    """Between what a report with a candidate foretold, and what the candidate then answered to the same mail."""
    by_domain = parted(enforced, lambda one: sender_domain_of(one.sent.host))
    rows = {(row["domain"], row["null_path"]): row for row in foretold["sender_domains"]}
    found = _compared("total", foretold["total"], _answers_of(enforced))
    return found + _compared_parts("sender domain", rows, by_domain, _answers_of)


def _answers_of(messages: Sequence[Answered]) -> dict[str, Any]:
    answered = Counter(one.action for one in messages)
    return {"foretold": {name: answered[action] for action, name in _OUTCOMES.items()}}


def _domain_truth(messages: Sequence[Answered]) -> dict[str, Any]:
    networks = {network_of(one.sent.host) for one in messages}
    return {**group_of(messages), "networks": len(networks), **kind_and_reason_of(messages)}


def _network_truth(messages: Sequence[Answered]) -> dict[str, Any]:
    domains = {sender_domain_of(one.sent.host) for one in messages}
    return {**group_of(messages), "sender_domains": len(domains), **kind_and_reason_of(messages)}


def _stage_truth(messages: Sequence[Answered]) -> dict[str, Any]:
    return {**counts_of(messages), "sender_domains": len({sender_domain_of(one.sent.host) for one in messages})}


def _reason_truth(messages: Sequence[Answered]) -> dict[str, Any]:
    foretold = counts_of(messages)["foretold"]
    domains = {sender_domain_of(one.sent.host) for one in messages}
    return {"exempt": 0, "foretold": foretold, "sender_domains": len(domains)}


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
    return [
        f"{what}: {name} is {flat.get(name)}, and should be {value}"
        for name, value in truth.items()
        if flat.get(name) != value
    ]
