"""The server's side of Dovecot's authentication protocol, as far as Postfix asks for it: PLAIN only."""

from __future__ import annotations

import base64
import os
import socketserver
import threading
from collections.abc import Mapping


class SaslServer:
    """Listens on 127.0.0.1 `port`; `users` maps a name to its password."""

    def __init__(self, port: int, users: Mapping[str, str]) -> None:
        self.port = port
        self.users = dict(users)
        self._server: _Server | None = None

    def start(self) -> None:
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.users = self.users
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    users: dict[str, str]


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        greeting = ("VERSION\t1\t1", "MECH\tPLAIN\tplaintext", f"SPID\t{os.getpid()}", "CUID\t1",
                    f"COOKIE\t{os.urandom(16).hex()}", "DONE")  # fmt: skip
        self.wfile.write("".join(f"{line}\n" for line in greeting).encode())
        for line in self.rfile:
            fields = line.decode().rstrip("\n").split("\t")
            if fields[0] == "AUTH":
                self.wfile.write(self._answer(fields).encode())

    def _answer(self, fields: list[str]) -> str:
        """RFC 4616: authorization identity, user and password, with NUL between."""
        response = next((field[5:] for field in fields if field.startswith("resp=")), "")
        user, password = (base64.b64decode(response).decode().split("\0") + ["", ""])[1:3]
        word = "OK" if password and self.server.users.get(user) == password else "FAIL"
        return f"{word}\t{fields[1]}\tuser={user}\n"
