"""A Redis server that is away, slow, full, read-only or shut to us: mail does not notice, nothing is lost or doubled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.compared import Compared
from lab.gate import Gate
from lab.journal import RedisJournal
from lab.redis_server import RedisServer
from lab.site import program_from_environment


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as running:
        yield running


@pytest.fixture
def compared(server: RedisServer) -> Iterator[Compared]:
    program = program_from_environment("dev")
    with Gate(program) as sound, Gate(program) as troubled:
        yield Compared(sound, troubled, RedisJournal(server))


def start(compared: Compared) -> None:
    compared.start()
    compared.send(5)
    compared.await_entries(5)


def test_a_server_that_is_killed_and_started_again(compared: Compared, server: RedisServer) -> None:
    start(compared)
    server.kill()
    line = compared.await_line("journal_failed", compared.send)
    assert f"unix://{server.socket}: cannot connect: " in line
    compared.send(40)
    server.start()
    compared.assert_mended()


def test_a_server_that_stands_still(compared: Compared, server: RedisServer) -> None:
    start(compared)
    server.stand_still()  # and reads later what it was sent and has not answered
    line = compared.await_line("journal_failed", compared.send)
    assert f"unix://{server.socket}: does not answer in time" in line
    compared.send(40)
    server.go_on()
    compared.assert_mended()


def test_a_server_that_becomes_a_replica(compared: Compared, server: RedisServer) -> None:
    start(compared)
    server.client().replicaof("127.0.0.1", 1)
    line = compared.await_line("journal_failed", compared.send)
    assert "it is a read-only replica: name the primary in store.url" in line
    compared.send(40)
    server.client().replicaof("NO", "ONE")
    compared.assert_mended()


def test_a_server_that_has_no_memory_left(compared: Compared, server: RedisServer) -> None:
    start(compared)
    server.client().config_set("maxmemory", 1)
    line = compared.await_line("journal_failed", compared.send)
    assert "it has no memory left: raise its maxmemory" in line
    compared.send(40)
    server.client().config_set("maxmemory", 0)
    compared.assert_mended()


def test_a_password_that_is_put_right(compared: Compared, server: RedisServer, tmp_path: Path) -> None:
    server.client().config_set("requirepass", "right")
    server.password_file = tmp_path / "password"
    server.password_file.write_text("wrong\n")
    server.password_file.chmod(0o640)
    compared.start()
    line = compared.await_line("journal_failed", compared.send)
    assert "the user in store.url or the password in store.password_file is wrong" in line
    compared.send(40)
    server.password_file.write_text("right\n")
    compared.await_line("journal_recovered", compared.send)
    server.client("right").config_set("requirepass", "")
    compared.assert_mended()
