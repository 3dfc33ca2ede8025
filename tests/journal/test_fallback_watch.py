"""Several hosts that share a store: what one refuses softly comes back to another, also while the store is away."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import Any

import pytest

from lab.fleet import Fleet, Host
from lab.gate import Gate
from lab.redis_server import RedisServer

WATCHED = 'mode = "soft"\ndeadline_ms = 20000\n[fallback]\nwindow = "5d"\n'
NAMELESS = "2001:db8:bad::1"
IPV4 = "192.0.2.1"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as running:
        yield running


def on_redis(server: RedisServer) -> str:
    key = server.folder / "key"
    key.write_bytes(os.urandom(32))
    key.chmod(0o600)
    return f'{server.store_settings}key = "file:{key}"'


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, gate: Gate) -> str:
    """What all hosts have in [store]."""
    if request.param == "sqlite":
        return f'url = "sqlite:{gate.folder}/shared.db"'
    return on_redis(request.getfixturevalue("server"))


def until(is_so: Callable[[], object], host: Host, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, host.sixgate.log()
        time.sleep(0.05)


def put_off(host: Host) -> bytes:
    """A new message that is refused softly."""
    content = host.gate.message().content
    assert host.send(content, NAMELESS).reply.startswith("450"), host.sixgate.log()
    return content


def watches(host: Host) -> bool:
    """Whether it looks at mail over IPv4, as it does while it knows of something open."""
    return host.send(host.gate.message().content, IPV4).event != "C"


def await_report(host: Host, **numbers: int) -> None:
    def found() -> dict[str, Any]:
        ended = host.sixgate.command("report", "--config", str(host.sixgate.configuration), "--json")
        assert ended.status == 0, ended.output
        total = json.loads(ended.output)["fallback"]["total"]
        return {key: value["messages"] if isinstance(value, dict) else value for key, value in total.items()}

    until(lambda: found().items() >= numbers.items(), host)


def test_what_one_host_refuses_comes_back_to_another(gate: Gate, store: str) -> None:
    with Fleet(gate).running(WATCHED, store) as (one, other):
        until(lambda: not watches(other), other)  # it has read that nothing is open
        waits = put_off(one)
        until(lambda: watches(other), other)
        messages = [put_off(one) for _ in range(5)]
        for message in messages:  # perhaps before the other host has heard of them
            assert other.send(message, IPV4).goes_on
        await_report(other, messages=6, attempts=6, ipv4=5, open=1)
        assert other.send(waits, NAMELESS).reply.startswith("450")
        assert other.send(waits, IPV4).goes_on
        await_report(one, messages=6, attempts=7, ipv4=6, open=0)
        until(lambda: not watches(one), one)


def test_what_was_open_is_found_after_a_restart(gate: Gate, store: str) -> None:
    fleet = Fleet(gate)
    with fleet.running(WATCHED, store) as (one, _):
        message = put_off(one)
    with fleet.running(WATCHED, store) as (_, other):
        assert other.send(message, IPV4).goes_on  # at once, whatever it has read by then
        await_report(other, messages=1, ipv4=1, open=0)


@dataclass
class Load:
    """Messages that one host refuses and the other one takes over IPv4, until it is to end."""

    hosts: list[Host]
    ends: Event = field(default_factory=Event)
    sent: int = 0
    slowest: float = 0
    _lock: Lock = field(default_factory=Lock)

    def run(self, thread: int) -> None:
        first, second = self.hosts[thread % 2], self.hosts[(thread + 1) % 2]
        while not self.ends.is_set():
            began = time.monotonic()
            message = put_off(first)
            assert second.send(message, IPV4).goes_on
            with self._lock:
                self.sent += 1
                self.slowest = max(self.slowest, time.monotonic() - began)
            time.sleep(0.02)


def test_nothing_is_lost_while_the_server_is_away(gate: Gate, server: RedisServer) -> None:
    with Fleet(gate).running(WATCHED, on_redis(server)) as hosts, ExitStack() as stack:
        put_off(hosts[0])  # stays open, so that both watch all the time
        for host in hosts:
            until(lambda: "event=started" in host.sixgate.log() and watches(host), host)
        load = Load(hosts)
        threads = stack.enter_context(ThreadPoolExecutor(4))
        stack.callback(load.ends.set)
        running = [threads.submit(load.run, i) for i in range(4)]

        def told(event: str) -> bool:
            assert not any(each.done() for each in running), [each.exception(0) for each in running if each.done()]
            return all(f"event={event} " in host.sixgate.log() for host in hosts)

        def more() -> Callable[[], bool]:
            wanted = load.sent + 40
            return lambda: load.sent >= wanted

        until(more(), hosts[0])
        server.kill()
        until(lambda: told("fallback_failed"), hosts[0])
        until(more(), hosts[0])
        server.start()
        until(lambda: told("fallback_recovered"), hosts[0])
        until(more(), hosts[0])
        load.ends.set()
        for each in running:
            each.result()
        assert load.slowest < 3, "mail has waited for the store"
        await_report(hosts[0], messages=load.sent + 1, ipv4=load.sent, open=1)
        for host in hosts:
            assert host.sixgate.log().count("event=fallback_failed ") == 1
            assert "dropped=0" in host.sixgate.log() and "fallback_lost" not in host.sixgate.log()
