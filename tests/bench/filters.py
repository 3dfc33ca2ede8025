"""The filters that are measured, and how each is started: sixgate, what it is held against, and its peers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.unpacked import Unpacked

PACKAGES = ("rspamd", "opendkim", "pyspf-milter")
PEERS = Path(__file__).resolve().parent / "peers"
AUTHSERV_ID = "mx.bench.test"


@dataclass(frozen=True)
class Place:
    """Where a filter runs."""

    folder: Path
    socket: Path
    dns: str  # an address; the port is 53
    programs: Path
    corpus: Path
    unpacked: Unpacked


@dataclass(frozen=True)
class Filter:
    """`command` writes what the filter needs, and tells how to call it. `methods` are what it must get right."""

    name: str
    command: Callable[[Place], list[str]]
    methods: tuple[str, ...] = ()
    settles: float = 0.2  # seconds between its socket and its readiness


def sixgate(program: Path, records: bool, authserv_id: str = AUTHSERV_ID, mode: str = "enforce") -> Filter:
    """`records`: with its journal and a line of the log for each message, which the others do not write."""

    def command(place: Place) -> list[str]:
        configuration = place.folder / "sixgate.toml"
        identity = f'authserv_id = "{authserv_id}"' if authserv_id else ""
        configuration.write_text(f"""\
[milter]
socket = "unix:{place.socket}"
socket_mode = "0666"
log_level = "{"info" if records else "warning"}"
{identity}
[dns]
servers = ["{place.dns}"]
[policy]
mode = "{mode}"
[store]
url = "{f"sqlite:{place.folder}/sixgate.db" if records else "none"}"
""")
        return [str(program), "run", "--foreground", "--config", str(configuration)]

    return Filter("sixgate", command, ("iprev", "spf", "dkim"))


def _null(mode: str) -> Filter:
    def command(place: Place) -> list[str]:
        return [str(place.programs / "null_milter"), str(place.socket), mode]

    return Filter(f"null, {mode}", command)


def _floor(place: Place) -> list[str]:
    return [str(place.programs / "floor_milter"), str(place.socket), str(place.corpus)]


def _opendkim(place: Place) -> list[str]:
    return place.unpacked.command("/usr/sbin/opendkim", "-f", "-x", _filled("opendkim.conf", place))


def _pyspf(place: Place) -> list[str]:
    modules = place.unpacked.path("/usr/lib/python3/dist-packages")
    program = place.unpacked.path("/usr/bin/pyspf-milter")
    return ["env", f"PYTHONPATH={modules}", "/usr/bin/python3", str(program), _filled("pyspf.conf", place)]


def _rspamd(place: Place) -> list[str]:
    share = place.unpacked.path("/usr/share/rspamd")
    folders = {"LUALIBDIR": "lualib", "RULESDIR": "rules", "PLUGINSDIR": "plugins", "SHAREDIR": ""}
    variables = [f"--var={name}={share / folder}" for name, folder in folders.items()]
    _patterns_of(place).mkdir(exist_ok=True)
    configuration = _filled("rspamd.conf", place)
    return place.unpacked.command("/usr/bin/rspamd", "-f", "-i", "-c", configuration, *variables)


def _patterns_of(place: Place) -> Path:
    """What rspamd compiles at its first start, for half a minute, and keeps."""
    return place.unpacked.folder.parent / "rspamd"


def _filled(name: str, place: Place) -> str:
    text = (PEERS / name).read_text()
    values = {
        "SOCKET": place.socket,
        "DNS": place.dns,
        "FOLDER": place.folder,
        "PEERS": PEERS,
        "CACHE": _patterns_of(place),
        "SHARE": place.unpacked.path("/usr/share/rspamd"),
    }
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    file = place.folder / name
    file.write_text(text)
    return str(file)


NULL_ACCEPT = _null("accept")
NULL_HEADERS = _null("headers")
FLOOR = Filter("floor", _floor, ("spf", "dkim"))
RSPAMD = Filter("rspamd", _rspamd, ("spf", "dkim"), settles=1.5)
OPENDKIM = Filter("opendkim", _opendkim, ("dkim",))
PYSPF = Filter("pyspf-milter", _pyspf, ("spf",), settles=0.5)
