"""What was judged is found again: `sixgate log`, `explain --case` and `forget`, beside the running daemon."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.faulty_dns import address, txt
from lab.gate import CLIENT, HOST, MAIL_FROM, Gate, Outcome
from lab.sixgate import Ended, logfmt_fields

NAMELESS = "2001:db8:bad::1"
UNSIGNED = "2001:db8:bad:2::1"
UNSIGNED_HOST = "mail.forged.test"


@dataclass
class Journal:
    """The gate with a store, and the commands about it."""

    gate: Gate

    def start(self, mode: str = "enforce", addresses: str = "hashed") -> Journal:
        self.gate.start(policy=self.policy(mode, addresses))
        return self

    def policy(self, mode: str, addresses: str = "hashed") -> str:
        return f"""\
mode = "{mode}"
help_url = "https://mail.example.test/ipv6"
[store]
url = "sqlite:{self.gate.folder}/sixgate.db"
addresses = "{addresses}"
"""

    def file(self, name: str, before: str = "", after: str = "") -> Path:
        """A configuration beside that of the daemon, with this instead of that."""
        text = self.gate.sixgate.configuration.read_text()
        assert before in text
        file = self.gate.folder / name
        file.write_text(text.replace(before, after))
        return file

    def command(self, *arguments: str, config: Path | None = None) -> Ended:
        """Its standard output alone, where it goes well."""
        file = config or self.gate.sixgate.configuration
        ended = subprocess.run(
            [str(self.gate.sixgate.program), arguments[0], "--config", str(file), *arguments[1:]],
            capture_output=True,
            timeout=60,
        )
        return Ended(ended.returncode, (ended.stdout + ended.stderr).decode())

    def log(self, *arguments: str) -> list[str]:
        shown = self.command("log", *arguments)
        assert shown.status == os.EX_OK, shown.output
        return shown.output.splitlines()

    def cases(self, *arguments: str) -> list[str]:
        return [logfmt_fields(line)["case"] for line in self.log(*arguments)]

    def wait_for(self, count: int) -> None:
        """Until as many entries are in the store."""
        deadline = time.monotonic() + 10
        while len(lines := self.log()) != count:
            assert time.monotonic() < deadline, lines
            time.sleep(0.05)

    @contextmanager
    def following(self, *arguments: str, stderr: int | None = None) -> Iterator[subprocess.Popen[str]]:
        command = [str(self.gate.sixgate.program), "log", "--config", str(self.gate.sixgate.configuration)]
        with subprocess.Popen(
            [*command, "--follow", *arguments], stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def octets(self) -> bytes:
        """All that lies in files of the store."""
        return b"".join(file.read_bytes() for file in sorted(self.gate.folder.glob("sixgate.db*")))


@pytest.fixture
def journal(gate: Gate) -> Journal:
    gate.dns.zone.add_ptr(UNSIGNED, UNSIGNED_HOST)
    gate.dns.zone.add(UNSIGNED_HOST, "AAAA", address(UNSIGNED))
    gate.dns.zone.add("forged.test", "TXT", txt("v=spf1 -all"))
    return Journal(gate)


def send_good(journal: Journal, recipients: Sequence[str] = ("<alice@example.test>",)) -> Outcome:
    return journal.gate.send(recipients=recipients)


def send_nameless(journal: Journal) -> Outcome:
    return journal.gate.send(client=NAMELESS, helo="host.nameless.test", mail_from="<carol@nameless.test>")


def send_forged(journal: Journal, mail_from: str = "<dave@forged.test>", **other: object) -> Outcome:
    return journal.gate.send(client=UNSIGNED, helo=UNSIGNED_HOST, mail_from=mail_from, **other)  # type: ignore[arg-type]


def case_of(outcome: Outcome) -> str:
    found = re.search(r"\bcase (\w+)", outcome.answer.reply)
    assert found, outcome
    return found[1]


def reply_in(explained: Ended) -> str:
    """The dialogue, as `explain` prints it."""
    return explained.output.partition("\nReply\n")[2].partition("\n\n")[0].rstrip("\n")


# -- log


def test_a_line_of_the_journal_is_the_line_of_the_log(journal: Journal) -> None:
    journal.start()
    for send in (send_good, send_nameless, send_forged):
        send(journal)
    journal.wait_for(3)
    logged = [line.partition(" ")[2] for line in journal.gate.sixgate.log().splitlines() if " case=" in line]
    shown = [re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (\S+) (case=.*)", line) for line in journal.log()]
    assert [line and line[3] for line in shown] == logged
    assert {line and line[2] for line in shown} == {os.uname().nodename}


def test_the_log_shows_what_was_asked_for(journal: Journal) -> None:
    journal.start()
    send_good(journal)
    nameless = case_of(send_nameless(journal))
    forged = case_of(send_forged(journal))
    send_forged(journal, mail_from="<>")
    journal.wait_for(4)
    everything = journal.cases()
    good, *refused, bounce = everything
    assert refused == [nameless, forged]
    for arguments, expected in [
        (["--reason", "reverse_name_missing"], [nameless]),
        (["--reason", "closed"], []),
        (["--client", CLIENT], [good]),
        (["--client", "2001:db8:bad::/48"], [nameless, forged, bounce]),
        (["--client", "2001:db8:bad::/64"], [nameless]),
        (["--domain", "Forged.Test."], [forged]),
        (["--domain", "test"], []),
        (["--domain", "<>"], [bounce]),
        (["--domain", ""], [bounce]),
        (["--case", forged], [forged]),
        (["--stage", "default"], everything),
        (["--stage", "partners"], []),
        (["--since", "1h"], everything),
        (["--since", "0s"], []),
        (["--since", "2026-01-01"], everything),
        (["--reason", "unauthenticated", "--domain", "forged.test"], [forged]),
        (["--reason", "unauthenticated", "--domain", "good.test"], []),
    ]:
        assert journal.cases(*arguments) == expected, arguments


def test_what_cannot_be_meant_is_refused_with_what_is_allowed(journal: Journal) -> None:
    journal.start()
    for arguments, said in [
        (["--reason", "spf"], "reverse_name_missing, reverse_name_mismatch"),
        (["--client", "2001:db8::1/32"], 'write "2001:db8::/32"'),
        (["--client", "host"], "an address or a network"),
        (["--domain", "a@b.test"], "a domain such as example.org, or <>"),
        (["--since", "yesterday"], "14d or 2w"),
    ]:
        refused = journal.command("log", *arguments)
        assert refused.status == os.EX_USAGE and said in refused.output, refused
    for subject in ("test", "@good.test", "2001:db8::1/32", "a b.test", ""):
        refused = journal.command("forget", subject)
        assert refused.status == os.EX_USAGE, (subject, refused)
    for arguments in (["--case", "x", "--client", "::1"], ["--case", "x", "message"], ["--client", "::1"], []):
        assert journal.command("explain", *arguments).status == os.EX_USAGE, arguments


def test_json_tells_all_that_is_known(journal: Journal) -> None:
    journal.start()
    content = journal.gate.message([("List-Id", "<l.test>"), ("ARC-Seal", "i=1")]).content
    outcome = journal.gate.send(content, client=NAMELESS, mail_from="<carol@nameless.test>")
    journal.wait_for(1)
    (line,) = journal.log("--json")
    entry = json.loads(line)
    assert entry["case"] == case_of(outcome)
    assert entry["host"] == os.uname().nodename
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry["time"])
    assert entry["verdict"]["reason"] == "reverse_name_missing"
    assert entry["reply"] == {"code": 550, "enhanced_status": "5.7.25"}
    evidence = entry["evidence"]
    assert evidence["is_from_list"] and evidence["is_forwarded"]
    assert evidence["client"] == NAMELESS
    assert re.fullmatch(r"~[0-9a-f]{16}@nameless\.test", evidence["mail_from"])
    assert [re.sub(r"~\w+", "~", recipient) for recipient in evidence["recipients"]] == ["~@example.test"]


def test_follow_shows_what_comes(journal: Journal) -> None:
    journal.start()
    before = case_of(send_nameless(journal))
    journal.wait_for(1)
    with journal.following() as since_now, journal.following("--since", "1h", "--json") as since_then:
        assert json.loads(since_then.stdout.readline())["case"] == before  # type: ignore[union-attr]
        time.sleep(1)  # until the other one has looked where the journal ends
        after = case_of(send_forged(journal))
        assert logfmt_fields(since_now.stdout.readline())["case"] == after  # type: ignore[union-attr]
        assert json.loads(since_then.stdout.readline())["case"] == after  # type: ignore[union-attr]
        since_now.send_signal(signal.SIGINT)
        assert since_now.wait(10) == os.EX_OK
        since_then.stdout.close()  # type: ignore[union-attr]
        assert since_then.wait(10) == os.EX_OK, "it goes with its reader, though there is nothing to tell"


def test_who_follows_is_told_when_the_journal_is_moved_aside(journal: Journal) -> None:
    journal.start()
    send_good(journal)
    journal.wait_for(1)
    with journal.following("--since", "1h", stderr=subprocess.PIPE) as following:
        following.stdout.readline()  # type: ignore[union-attr]
        for file in journal.gate.folder.glob("sixgate.db*"):
            file.rename(file.with_name(f"old-{file.name}"))
        assert following.wait(10) == os.EX_SOFTWARE
        assert "was moved or removed" in following.stderr.read()  # type: ignore[union-attr]


def test_a_reader_that_has_seen_enough_is_no_trouble(journal: Journal) -> None:
    journal.start(mode="observe")
    with journal.gate.connect() as milter:
        for _ in range(300):  # more than a pipe holds
            milter.transaction(MAIL_FROM, ["<alice@example.test>"], journal.gate.message().content)
    journal.wait_for(300)
    command = f"{journal.gate.sixgate.program} log --json --config {journal.gate.sixgate.configuration}"
    ended = subprocess.run(
        ["bash", "-c", f"{command} | head -1; echo ${{PIPESTATUS[0]}}"], capture_output=True, text=True, timeout=60
    )
    line, status = ended.stdout.splitlines()
    assert (json.loads(line)["host"], status, ended.stderr) == (os.uname().nodename, "0", "")


@pytest.mark.parametrize("command", ["log", "log --follow --since 1h", "report", "explain --case CASE", "forget x.test"])
def test_output_that_is_lost_is_told(journal: Journal, command: str) -> None:
    journal.start(mode="observe")
    send_good(journal)
    journal.wait_for(1)
    (case,) = journal.cases()
    arguments = command.replace("CASE", case).split()
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(
            [str(journal.gate.sixgate.program), *arguments, "--config", str(journal.gate.sixgate.configuration)],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert ended.returncode == os.EX_SOFTWARE and b"No space left" in ended.stderr, ended


# -- what is in the store


def test_nothing_is_left_in_clear_of_an_address_that_can_be_read_in_more_than_one_way(journal: Journal) -> None:
    journal.start(mode="observe")
    send_good(journal, recipients=["<postmaster@z<alice.secret>>", "<user@example.test (Alice Secret)>"])
    journal.gate.send(mail_from="<alice@secret.test(@good.test>")
    journal.wait_for(2)
    assert b"secret" not in journal.octets().lower()
    entry, other = (json.loads(line)["evidence"] for line in journal.log("--json"))
    assert [re.sub(r"[0-9a-f]{16}", "", recipient) for recipient in entry["recipients"]] == ["~<", "~<"]
    assert re.fullmatch(r"~[0-9a-f]{16}<", other["mail_from"])


def test_what_strangers_write_is_kept_as_it_came_and_shown_printable(journal: Journal) -> None:
    journal.start(addresses="full")
    outcome = journal.gate.send(
        client=NAMELESS,
        helo=b"b\xc3\xa4r\\\x1b[31m\xff.nameless.test",
        mail_from="<j\u00f6rg@b\u00fccher.test>".encode(),
        recipients=["<empf\u00e4nger@m\u00fchle.test>"],
    )
    journal.wait_for(1)
    assert "b\u00fccher".encode() in journal.octets()
    case = case_of(outcome)
    explained = journal.command("explain", "--case", case)
    assert reply_in(explained) == outcome.answer.reply.rstrip("\n")
    for command in (["log"], ["log", "--json"], ["explain", "--case", case], ["explain", "--json", "--case", case], ["report"]):
        shown = journal.command(*command).output
        assert re.fullmatch(r"[ -~\n]+", shown), (command, shown)
    assert r"b\xc3\xa4r\x5c\x1b[31m\xff.nameless.test" in explained.output
    (entry,) = map(json.loads, journal.log("--json"))
    assert entry["evidence"]["recipients"] == [r"empf\xc3\xa4nger@xn--mhle-0ra.test"]  # as stages compare it
    assert entry["evidence"]["spf_helo"]["problem"] == r"b\xc3\xa4r\x5c\x1b[31m\xff.nameless.test is not a domain name"
    for subject in ("j\u00f6rg@b\u00fccher.test", "empf\u00e4nger@m\u00fchle.test", "m\u00fchle.test"):
        assert journal.command("forget", "--dry-run", subject).output == "1 entry would be forgotten\n", subject


# -- explain --case


@pytest.mark.parametrize("mode", ["soft", "enforce"])
@pytest.mark.parametrize("profile", ["rfc7372", "gmail", "eop", "terse"])
def test_a_case_is_answered_as_it_was(journal: Journal, mode: str, profile: str) -> None:
    journal.gate.start(policy=f'profile = "{profile}"\n' + journal.policy(mode))
    outcomes = [send_nameless(journal), send_forged(journal)]
    journal.wait_for(2)
    for outcome in outcomes:
        explained = journal.command("explain", "--case", case_of(outcome))
        assert reply_in(explained) == outcome.answer.reply.rstrip("\n")
        assert explained.status == (os.EX_TEMPFAIL if mode == "soft" else os.EX_UNAVAILABLE)


def test_a_case_is_judged_by_another_configuration(journal: Journal) -> None:
    journal.start(mode="observe")
    outcome = send_forged(journal)
    assert outcome.code == 250
    journal.wait_for(1)
    (case,) = journal.cases()

    today = journal.command("explain", "--case", case)
    assert today.status == os.EX_OK
    assert reply_in(today) == "250 (the message goes on)"
    field = " ".join(today.output.partition("\nField\nAuthentication-Results: ")[2].split())
    assert field == outcome.results

    candidate = journal.file("candidate.toml", 'mode = "observe"', 'mode = "enforce"')
    enforced = journal.command("explain", "--case", case, config=candidate)
    assert enforced.status == os.EX_UNAVAILABLE
    assert reply_in(enforced).startswith(f"550-5.7.26 [{UNSIGNED}]")
    assert "mode observe" in enforced.output.partition("\nVerdict then\n")[2].partition("\nVerdict now\n")[0]
    assert "mode enforce" in enforced.output.partition("\nVerdict now\n")[2]

    told = json.loads(journal.command("explain", "--case", case, "--json", "--mode", "soft").output)
    assert told["case"] == case
    assert (told["verdict_then"]["action"], told["reply_then"]) == ("accept", None)
    assert (told["verdict"]["action"], told["verdict"]["mode"]) == ("tempfail", "soft")
    assert told["reply"]["code"] == 450

    forgiving = journal.file("forgiving.toml", "deadline_ms", 'authentication = "any"\ndeadline_ms')
    forgiven = json.loads(journal.command("explain", "--case", case, "--json", config=forgiving).output)
    assert forgiven["verdict_then"]["reason"] == "unauthenticated"
    assert forgiven["verdict"]["reason"] is None


@pytest.mark.parametrize("addresses", ["hashed", "full"])
def test_an_exempt_recipient_is_known_though_hidden(journal: Journal, addresses: str) -> None:
    journal.start(mode="observe", addresses=addresses)
    send_forged(journal, recipients=["<Postmaster@example.test>"])
    send_forged(journal, recipients=["<postmaster@example.test>", "<alice@example.test>"])
    journal.wait_for(2)
    exempt, others = journal.cases()
    candidate = journal.file("candidate.toml", 'mode = "observe"', 'mode = "enforce"')
    explained = journal.command("explain", "--case", exempt, config=candidate)
    assert explained.status == os.EX_OK and "exempt: recipients" in explained.output
    assert journal.command("explain", "--case", others, config=candidate).status == os.EX_UNAVAILABLE


def test_what_a_closed_gate_refused_was_never_checked(journal: Journal) -> None:
    journal.start(mode="closed")
    outcome = send_good(journal)
    journal.wait_for(1)
    case = case_of(outcome)
    again = journal.command("explain", "--case", case)
    assert reply_in(again) == outcome.answer.reply.rstrip("\n")
    other = journal.command("explain", "--case", case, "--mode", "enforce")
    assert other.status == os.EX_SOFTWARE
    assert "cannot be told" in other.output


def test_a_case_that_is_not_there(journal: Journal) -> None:
    journal.start()
    send_good(journal)
    journal.wait_for(1)
    unknown = journal.command("explain", "--case", "nosuchcase00")
    assert unknown.status == 1
    assert "nosuchcase00: no such case" in unknown.output and "30 days" in unknown.output


def test_without_a_journal_the_commands_say_so(journal: Journal) -> None:
    journal.start()
    none = journal.file("none.toml", f'url = "sqlite:{journal.gate.folder}/sixgate.db"', 'url = "none"')
    away = journal.file("away.toml", "sixgate.db", "elsewhere.db")
    for arguments in (["log"], ["explain", "--case", "x"], ["forget", "good.test"]):
        refused = journal.command(*arguments, config=none)
        assert refused.status == os.EX_SOFTWARE and "there is no journal" in refused.output, refused
        refused = journal.command(*arguments, config=away)
        assert refused.status == os.EX_SOFTWARE and "elsewhere.db: is not there yet" in refused.output, refused
    assert not (journal.gate.folder / "elsewhere.db").exists()


def test_an_entry_that_is_damaged_is_left_out_and_told_of(journal: Journal) -> None:
    journal.start()
    cases = [case_of(send_nameless(journal)), case_of(send_forged(journal))]
    journal.wait_for(2)
    with closing(sqlite3.connect(journal.gate.folder / "sixgate.db")) as database:
        database.execute("UPDATE details SET octets = x'00' WHERE id = 1")
        database.commit()
    told = f"sixgate: 1 entry is left out that cannot be read; case {cases[0]}: the entry cannot be read: "
    shown = journal.command("log")
    assert shown.status == os.EX_OK and told in shown.output and f"case={cases[1]}" in shown.output
    assert told in journal.command("report").output
    explained = journal.command("explain", "--case", cases[0])
    assert explained.status == os.EX_SOFTWARE and told in explained.output
    forgotten = journal.command("forget", UNSIGNED_HOST)
    assert forgotten.status == os.EX_SOFTWARE, "it may name the host, too"
    assert forgotten.output.startswith("1 entry forgotten\n") and told in forgotten.output
    assert journal.command("forget", NAMELESS) == Ended(os.EX_OK, "1 entry forgotten\n"), "it has a column"


def test_without_the_key_what_needs_none_goes_on(journal: Journal) -> None:
    journal.start()
    cases = [case_of(send_nameless(journal)), case_of(send_forged(journal))]
    journal.wait_for(2)
    (journal.gate.folder / "sixgate.db.key").unlink()
    anybody = journal.file("anybody.toml", "[store]", '[exempt]\nrecipients = ["*@exempt.test"]\n[store]')
    somebody = journal.file("somebody.toml", "[store]", '[exempt]\nrecipients = ["abuse@*"]\n[store]')
    for arguments in (["explain", "--case", cases[0]], ["report"]):
        assert "sixgate.db.key" not in journal.command(*arguments, config=anybody).output
        refused = journal.command(*arguments, config=somebody)
        assert refused.status == os.EX_SOFTWARE and "sixgate.db.key: the key" in refused.output
    refused = journal.command("forget", "dave@forged.test")
    assert refused.status == os.EX_SOFTWARE and "sixgate.db.key: the key" in refused.output
    assert journal.command("forget", "forged.test").output == "1 entry forgotten\n"
    assert journal.command("forget", NAMELESS).output == "1 entry forgotten\n"


# -- report


def test_a_closed_gate_is_foretold_recipient_by_recipient(journal: Journal) -> None:
    recipients = ["<postmaster@example.test>", "<alice@example.test>", "<bob@example.test>"]

    def foretold(*arguments: str, config: Path) -> dict[str, int]:
        return json.loads(journal.command("report", "--json", *arguments, config=config).output)["total"]["foretold"]

    journal.start(mode="observe")
    send_good(journal, recipients)
    journal.wait_for(1)
    enforced = journal.file("enforced.toml", 'mode = "observe"', 'mode = "enforce"')
    assert foretold(config=enforced) == {"accepted": 1, "tempfailed": 0, "rejected": 0}
    closed = journal.file("closed.toml", 'mode = "observe"', 'mode = "closed"')
    assert foretold(config=closed) == {"accepted": 1, "tempfailed": 2, "rejected": 0}
    journal.gate.sixgate.reload(closed.read_text())
    with journal.gate.connect() as milter:
        milter.mail(MAIL_FROM)
        for recipient in recipients:
            milter.rcpt(recipient)
        milter.data()
        milter.message(journal.gate.message().content)
    journal.wait_for(4)
    lived = [logfmt_fields(line)["verdict"] for line in journal.log()][1:]
    assert sorted(lived) == ["accept", "tempfail", "tempfail"]


# -- forget


def test_nothing_is_left_of_a_domain_that_is_forgotten(journal: Journal) -> None:
    zone = journal.gate.dns.zone
    zone.add("includes.test", "TXT", txt("v=spf1 include:_spf.forged.test -all"))
    journal.start(mode="observe")
    send_good(journal)
    send_forged(journal)  # the reverse name, HELO and MAIL FROM
    journal.gate.send(mail_from="<a@includes.test>")  # what its SPF record names
    journal.gate.send(mail_from="<a@forged.test.example>")  # these are others
    journal.gate.send(mail_from="<a@notforged.test>")
    journal.gate.send(recipients=["<bob@Forged.Test>"])
    journal.wait_for(6)
    counted = journal.command("forget", "--dry-run", "forged.test")
    assert counted == Ended(os.EX_OK, "3 entries would be forgotten\n")
    assert len(journal.log()) == 6
    assert b"mail.forged.test" in journal.octets()
    assert journal.command("forget", "FORGED.test.") == Ended(os.EX_OK, "3 entries forgotten\n")
    assert journal.command("forget", "forged.test") == Ended(os.EX_OK, "0 entries forgotten\n")
    left = [logfmt_fields(line)["mail_from_domain"] for line in journal.log()]
    assert left == ["good.test", "forged.test.example", "notforged.test"]
    assert not re.findall(rb"(?i)(?<!not)forged\.test(?!\.example)", journal.octets())


@pytest.mark.parametrize("addresses", ["hashed", "full"])
def test_an_address_is_forgotten_as_sender_and_as_recipient(journal: Journal, addresses: str) -> None:
    """Also where addresses were kept in the other way when the entry was written."""
    journal.start(addresses=addresses)
    journal.gate.send(mail_from="<Bob@good.test>")
    journal.gate.send(recipients=["<alice@example.test>", "<bob@GOOD.test>"])
    journal.gate.send(mail_from="<bobby@good.test>", recipients=["<bob@example.test>"])
    journal.wait_for(3)
    before, after = (f'addresses = "{one}"' for one in (addresses, {"hashed": "full", "full": "hashed"}[addresses]))
    later = journal.file("later.toml", before, after)
    if addresses == "full":
        (journal.gate.folder / "sixgate.db.key").write_bytes(os.urandom(32))  # as the daemon would make it
    assert journal.command("forget", "bob@good.test", "--dry-run", config=later).output == "2 entries would be forgotten\n"
    assert journal.command("forget", "bob@good.test", config=later).output == "2 entries forgotten\n"
    assert len(journal.log()) == 1


def test_clients_are_forgotten(journal: Journal) -> None:
    journal.start()
    send_good(journal)
    send_nameless(journal)
    send_forged(journal)
    journal.wait_for(3)
    assert journal.command("forget", CLIENT).output == "1 entry forgotten\n"
    assert journal.command("forget", "2001:db8:bad::/48").output == "2 entries forgotten\n"
    assert journal.log() == []
    assert HOST.encode() not in journal.octets()
