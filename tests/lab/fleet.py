"""Several sixgates on this machine that share one store, as MX hosts of one site do, and one time of day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from .clock import Clock
from .gate import CLIENT, HOST, MAIL_FROM, RECIPIENT, Gate
from .milter import Answer, Milter
from .sixgate import Sixgate


class Host:
    """One of them: a program with a folder of its own."""

    def __init__(self, gate: Gate, clock: Clock, folder: Path) -> None:
        self.gate = gate
        self.sixgate = Sixgate(clock, gate.sixgate.program, folder)  # type: ignore[arg-type]

    def start(self, policy: str, store: str) -> None:
        servers = ", ".join(f'"{server}"' for server in self.gate.dns.addresses)
        self.sixgate.start(
            f"""\
[milter]
socket = "{self.sixgate.milter_address}"
[dns]
servers = [{servers}]
[store]
{store}
[policy]
{policy}
"""
        )

    def stop(self) -> None:
        assert self.sixgate.stop_soon() == 0, self.sixgate.log()

    def send(
        self,
        content: bytes,
        client: str = CLIENT,
        mail_from: str = MAIL_FROM,
        recipients: Sequence[str] = (RECIPIENT,),
        helo: str = HOST,
    ) -> Answer:
        """One message on a connection of its own; the answer to the connection where that is accepted at once."""
        with Milter(str(self.sixgate.socket_path)) as milter:
            connected = milter.connect(client)
            if connected.verdict == "accept":
                return connected
            milter.helo(helo)
            return milter.transaction(mail_from, recipients, content)


class Fleet:
    def __init__(self, gate: Gate, number: int = 2) -> None:
        self.gate = gate
        self.clock = Clock(gate.folder)
        self.hosts = [Host(gate, self.clock, gate.folder / f"mx{i}") for i in range(1, number + 1)]

    def at(self, moment: datetime) -> Fleet:
        self.clock.set(moment)
        return self

    @contextmanager
    def running(self, policy: str, store: str) -> Iterator[list[Host]]:
        with ExitStack() as stack:
            for host in self.hosts:
                host.start(policy, store)
                stack.callback(host.stop)
            yield self.hosts
