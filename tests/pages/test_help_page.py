"""The page that a refusal leads to: with and without script, and with any address in its query."""

from __future__ import annotations

import ipaddress
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from lab.browser import LOOKS, Browser, Look
from lab.gate import Gate
from lab.site import program_from_environment

EXAMPLE = "2001:db8:5::25"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("help")
    configuration = folder / "sixgate.toml"
    configuration.write_text(
        '[milter]\nauthserv_id = "mx.example.test"\n[probe]\nrecipients = ["ipv6-test@example.test"]\n'
    )
    file = folder / "ipv6.html"
    command = [str(program_from_environment("dev")), "help-page", "--config", str(configuration), "--output", str(file)]
    subprocess.run(command, check=True, timeout=60)
    return file


@pytest.fixture(scope="module")
def browser_without_script() -> Iterator[Browser]:
    with Browser(has_script=False) as browser_:
        yield browser_


def shown_addresses(browser: Browser) -> set[str]:
    return set(browser.run("return [...document.querySelectorAll('[data-fill=client]')].map(e => e.textContent)"))


def reverse_names(browser: Browser) -> set[str]:
    return set(browser.run("return [...document.querySelectorAll('[data-fill=reverse]')].map(e => e.textContent)"))


def is_visible(browser: Browser, name: str) -> bool:
    return bool(browser.run("return document.getElementById(arguments[0]).checkVisibility()", name))


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_everybody_can_read_it(browser: Browser, page: Path, look: Look) -> None:
    browser.open(page, look, "?ip=2001:db8:5::5#unauthenticated")
    assert browser.violations() == []
    assert browser.overflow() <= 0


def test_nothing_is_asked_for(browser: Browser, page: Path) -> None:
    browser.open(page, query="?ip=2001:db8::5")
    assert browser.requests() == [] and browser.complaints() == []


@pytest.mark.parametrize(
    "address",
    ["2001:db8:77::5", "2001:DB8:0:0:0::7", "::1", "1::", "2001:db8:1:2:3:4:5:6", "64:ff9b::192.0.2.1", "fe80::1:2"],
)
def test_the_records_are_for_the_address_of_the_reader(browser: Browser, page: Path, address: str) -> None:
    browser.open(page, query=f"?ip={address}")
    parsed = ipaddress.IPv6Address(address)
    assert {ipaddress.ip_address(shown) for shown in shown_addresses(browser)} == {parsed}
    assert reverse_names(browser) == {f"{parsed.reverse_pointer}."}
    assert is_visible(browser, "yours") and not is_visible(browser, "example")
    assert "Check that it is your host's" in browser.text("#yours")
    # A term to add, and no record that would shut out hosts nobody has asked about.
    assert browser.text("#unauthenticated .records") == f"ip6:{shown_addresses(browser).pop()}"
    text = browser.text("main")
    assert "v=spf1" not in text and "-all" not in text


@pytest.mark.parametrize(
    "given",
    [
        "",
        "192.0.2.1",
        "2001:db8::g",
        "2001:db8::1::2",
        "2001:db8::1]/#",
        "fe80::1%eth0",
        "1:2:3:4:5:6:7:8:9",
        "<script>document.title='taken'</script>",
        "<img src=x onerror=document.title=1>",
        "::1\"onmouseover='1'",
        "::" + "0" * 60,
    ],
)
def test_what_is_no_ipv6_address_changes_nothing(browser: Browser, page: Path, given: str) -> None:
    title = browser.open(page).run("return document.title")
    browser.open(page, query=f"?ip={quote(given)}")
    assert shown_addresses(browser) == {EXAMPLE}
    assert reverse_names(browser) == {f"{ipaddress.ip_address(EXAMPLE).reverse_pointer}."}
    assert is_visible(browser, "example") and not is_visible(browser, "yours")
    assert browser.run("return document.title") == title
    assert browser.complaints() == []


def test_without_script_the_examples_stand(browser_without_script: Browser, page: Path) -> None:
    browser = browser_without_script.open(page, query="?ip=2001:db8:77::5#unauthenticated")
    assert shown_addresses(browser) == {EXAMPLE}
    assert is_visible(browser, "example") and not is_visible(browser, "yours")
    assert browser.text(":target h2") == "Neither SPF nor DKIM passes"
    assert browser.text(":target .records") == f"ip6:{EXAMPLE}"
    assert browser.requests() == []


def test_a_refusal_leads_to_its_reason_and_address(browser: Browser, page: Path, gate: Gate) -> None:
    gate.start('mode = "enforce"\nhelp_url = "https://mail.example.test/ipv6.html?ip={client}#{reason}"')
    client = "2001:db8:bad::1"
    reply = gate.send(client=client, helo="host.nameless.test", mail_from="<carol@nameless.test>").answer.reply
    link = re.search(r"https://mail\.example\.test/ipv6\.html(\S*)", reply)
    assert link, reply
    browser.open(page, query=link[1])
    assert browser.text(":target h2") == "Your address has no reverse name"
    assert shown_addresses(browser) == {client}
    assert f"{ipaddress.ip_address(client).reverse_pointer}. PTR" in browser.text(":target")
