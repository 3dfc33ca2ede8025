"""TLS to a Redis server: only with a certificate of its host that somebody trusted has signed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from lab.certificate import write_certificate
from lab.gate import Gate
from lab.redis_server import RedisServer


def settings(url: str, ca_file: Path | None) -> str:
    ca = f'ca_file = "{ca_file}"\n' if ca_file else ""
    return f'mode = "observe"\n[store]\nurl = "{url}"\naddresses = "full"\n{ca}'


def test_only_a_certificate_of_the_host_that_is_trusted(gate: Gate, tmp_path: Path) -> None:
    certificate, other = tmp_path / "server.pem", tmp_path / "other.pem"
    write_certificate("localhost", certificate)
    write_certificate("localhost", other)
    with RedisServer(tmp_path, certificate) as server:
        url = f"rediss://localhost:{server.tls_port}"
        gate.start(settings(url, certificate))
        gate.send()
        assert gate.sixgate.stop_soon() == 0
        assert "journal_" not in gate.sixgate.log()
        assert server.client().xlen("{sixgate}:journal") == 1

        def said(url: str, ca_file: Path | None) -> str:
            file = tmp_path / "sixgate.toml"
            file.write_text(f"[policy]\n{settings(url, ca_file)}")
            command = [str(gate.sixgate.program), "log", "--config", str(file)]
            return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60).stdout

        assert "case=" in said(url, certificate)
        for untrusted in (None, other):
            assert f"{url}: its certificate does not verify: " in said(url, untrusted)
        address = f"rediss://127.0.0.1:{server.tls_port}"
        assert "its certificate does not verify: IP address mismatch" in said(address, certificate)
        assert "cannot be read: No such file" in said(url, tmp_path / "nowhere.pem")
        assert server.client().xlen("{sixgate}:journal") == 1
