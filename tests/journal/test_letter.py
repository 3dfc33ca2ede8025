"""`sixgate letter`: what it asks for is enough, and what it says is what was seen."""

from __future__ import annotations

import email
import os
import re
import subprocess
import time
from datetime import datetime, timedelta, timezone
from email.message import Message
from pathlib import Path

from lab.faulty_dns import address, txt
from lab.gate import Gate

DOMAIN = "partner.test"
CLIENT = "2001:db8:bad::1"
HOST = "mail.partner.test"


def start(gate: Gate, mode: str = "observe", more: str = "") -> None:
    gate.start(
        f"""\
mode = "{mode}"
help_url = "https://mail.example.test/ipv6.html?ip={{client}}#{{reason}}"
{more}
[probe]
recipients = ["ipv6-test@example.test"]
[store]
url = "sqlite:{gate.folder}/sixgate.db"
"""
    )


def send(gate: Gate, mail_from: str = f"<sender@{DOMAIN}>", client: str = CLIENT, helo: str = HOST) -> str:
    return gate.send(client=client, helo=helo, mail_from=mail_from).codes


def letter(gate: Gate, *words: str, config: Path | None = None) -> subprocess.CompletedProcess[str]:
    file = config or gate.sixgate.configuration
    command = [str(gate.sixgate.program), "letter", "--config", str(file), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def wait_for(gate: Gate, count: int) -> None:
    """Until as many entries are in the journal."""
    command = [str(gate.sixgate.program), "log", "--config", str(gate.sixgate.configuration)]
    deadline = time.monotonic() + 10
    while (shown := subprocess.run(command, capture_output=True, text=True).stdout.count("\n")) != count:
        assert time.monotonic() < deadline, shown
        time.sleep(0.05)


def message_in(written: subprocess.CompletedProcess[str]) -> Message:
    assert written.returncode == os.EX_OK, written
    return email.message_from_string(written.stdout)


def test_what_it_asks_for_mends_it(gate: Gate) -> None:
    start(gate)
    for sender in (f"<sender@{DOMAIN}>", f"<sender@news.{DOMAIN}>", f"<sender@{DOMAIN}>", "<>", "<a@other.test>"):
        send(gate, sender)
    wait_for(gate, 5)
    message = message_in(letter(gate, DOMAIN))
    assert message["To"] == f"postmaster@{DOMAIN}"
    text = message.get_payload()
    assert "fell\nshort of it: 4 of 4 deliveries, each attempt counted." in text
    assert "already" not in text
    assert "ipv6-test@example.test" in text
    assert f"https://mail.example.test/ipv6.html?ip={CLIENT}#reverse_name_missing" in text

    zone = gate.dns.zone
    (ptr,) = set(re.findall(r"(?m)^ +(\S+\.ip6\.arpa)\. PTR (\S+)\.$", text))
    (aaaa,) = set(re.findall(r"(?m)^ +(\S+)\. AAAA (\S+)$", text))
    assert aaaa == (HOST, CLIENT) and ptr[1] == HOST
    zone.add_ptr(aaaa[1], ptr[1])
    zone.add(aaaa[0], "AAAA", address(aaaa[1]))
    unfolded = " ".join(text.split())
    spf = re.search(
        rf"An SPF record at {re.escape(DOMAIN)} that lists all its mail hosts, those on IPv4 too, with (ip6:\S+?),",
        unfolded,
    )
    assert spf, text
    assert f"If it is a host of {DOMAIN}: An SPF" in unfolded and "-all" not in text
    zone.add(DOMAIN, "TXT", txt(f"v=spf1 ip4:192.0.2.25 {spf[1]} -all"))
    gate.sixgate.stop_soon()
    start(gate, "enforce")
    assert send(gate) == "250"


def test_what_was_refused_and_until_when(gate: Gate) -> None:
    begins = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=20)
    partners = f'[[stage]]\nname = "partners"\nmode = "enforce"\nnetworks = ["{CLIENT}"]\nfrom = '
    start(gate, "observe", partners + begins.isoformat())
    send(gate)
    wait_for(gate, 1)
    assert f"by {begins.date()}." in letter(gate, DOMAIN).stdout
    assert "by 2090-03-04." in letter(gate, DOMAIN, "--by", "2090-03-04").stdout
    gate.sixgate.stop_soon()
    start(gate, "enforce")
    assert send(gate) == "550 5.7.25"
    wait_for(gate, 2)
    text = letter(gate, DOMAIN).stdout
    assert "fell\nshort of it: 2 of 2 deliveries" in text
    assert "Refused or put off already: 1 of these." in text
    assert " by 20" not in text
    for day in ("2020-01-01", "tomorrow", "2090-02-30", "7d"):
        refused = letter(gate, DOMAIN, "--by", day)
        assert refused.returncode == os.EX_USAGE and "a day such as" in refused.stderr, refused


def test_where_there_is_nothing_to_write(gate: Gate) -> None:
    start(gate)
    gate.send()  # in order
    wait_for(gate, 1)
    for domain, said in [
        ("nobody.test", "no letter to nobody.test: the journal has no mail of it over IPv6 in this time"),
        ("GOOD.test.", "no letter to good.test: of 1 delivery none falls short"),
    ]:
        written = letter(gate, domain)
        assert (written.returncode, written.stdout) == (1, ""), written
        assert said in written.stderr
    for subject in ("test", "a@good.test", "2001:db8::1", "good.test\nBcc: x@y.test", ""):
        assert letter(gate, subject).returncode == os.EX_USAGE, subject
    assert letter(gate).returncode == os.EX_USAGE
    suffix = letter(gate, "co.uk")
    assert suffix.returncode == os.EX_USAGE and "co.uk is a public suffix" in suffix.stderr, suffix


def test_words_of_the_site(gate: Gate) -> None:
    start(gate)
    send(gate)
    wait_for(gate, 1)
    ours = letter(gate, "--print-template")
    file = gate.folder / "letter.txt"
    file.write_text("To: postmaster@{domain}\nSubject: Ihre Post\n\nGrüße. Bis {deadline}.\n\n{short} von {messages}\n")
    told = letter(gate, DOMAIN, "--template", str(file)).stdout
    assert told == f"To: postmaster@{DOMAIN}\nSubject: Ihre Post\n\n1 von 1\n"

    configured = gate.folder / "with-letter.toml"
    configured.write_text(gate.sixgate.configuration.read_text() + f'[letter]\ntemplate = "{file}"\n')
    assert letter(gate, DOMAIN, config=configured).stdout == told
    file.write_text(ours.stdout)
    assert letter(gate, DOMAIN, config=configured).stdout == letter(gate, DOMAIN).stdout

    file.write_text("To: a\n\n{who}\n")
    for wrong in (letter(gate, DOMAIN, "--template", str(file)), letter(gate, DOMAIN, config=configured)):
        assert wrong.returncode == os.EX_CONFIG and wrong.stdout == "", wrong
        assert f"{file}:3:" in wrong.stderr and "there is no placeholder {who}" in wrong.stderr
    command = [str(gate.sixgate.program), "check-config", str(configured)]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert checked.returncode == os.EX_CONFIG, checked
    assert checked.stderr == f"letter.template: {file}:3: there is no placeholder {{who}}\n"


def test_the_daemon_runs_without_the_template(gate: Gate) -> None:
    start(gate, more='[letter]\ntemplate = "/nowhere/letter.txt"\nsite = "The University of Nowhere"')
    assert send(gate) == "250"
    wait_for(gate, 1)
    missing = letter(gate, DOMAIN)
    assert missing.returncode == os.EX_CONFIG and "/nowhere/letter.txt cannot be opened" in missing.stderr, missing
    file = gate.folder / "letter.txt"
    file.write_text("To: {domain}\n\n{site}: {asked}\n")
    asked = "a reverse name that leads back to the address it comes from, and a pass\nof SPF or of DKIM"
    told = letter(gate, DOMAIN, "--template", str(file)).stdout
    assert told == f"To: {DOMAIN}\n\nThe University of Nowhere: {asked}\n"
