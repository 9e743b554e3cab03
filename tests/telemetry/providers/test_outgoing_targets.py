"""Addresses that people type in: whatever leads into a network of our own, or only might, is refused."""

import time
from collections.abc import Sequence

import pytest
from pytest_django import Settings

from telemetry.core.errors import InvalidDocument
from telemetry.providers.outgoing.addresses import is_public
from telemetry.providers.outgoing.targets import BlockedAddress, check_target, read_target, resolve, system_resolver

PUBLIC = ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c")


def answering(*addresses: str) -> object:
    """A resolver that knows every host by these addresses."""

    def resolver(_host: str) -> Sequence[str]:
        if not addresses:
            raise OSError("no such host")
        return addresses

    return resolver


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "93.184.215.14", "2606:4700::1111", "2a00:1450:4001::1"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.8.9.10",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:10::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2620:4f:8000::1",
        "3fff::1",
        "2a00:1450:4001::5efe:7f00:1",
        "2a00:1450:4001:0:200:5efe:a9fe:a9fe",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "nonsense",
        "",
    ],
)
def test_addresses_that_lead_elsewhere_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com",
        "https://hooks.example.com/events?team=1",
        "https://hooks.example.com:443/",
        "https://xn--bcher-kva.example/",
        "https://93.184.215.14/",
        "https://[2606:4700::1111]/",
        "https://HOOKS.example.com/",
        "https://a_b.example.com/",
    ],
)
def test_addresses_of_servers_on_the_internet_are_targets(url: str) -> None:
    assert resolve(read_target(url), answering(*PUBLIC)) == PUBLIC  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        # Internal addresses as they are, and in spellings that resolvers understand
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.0.1./",
        "https://①②⑦.0.0.1/",
        "https://127。0。0。1/",
        "https://[::]/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[fe80::1%25eth0]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://0/",
        # Other schemes
        "http://hooks.example.com/",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "ftp://hooks.example.com/",
        "javascript:alert(1)",
        "//hooks.example.com/",
        "hooks.example.com",
        "",
        # Other ports
        "https://hooks.example.com:80/",
        "https://hooks.example.com:22/",
        "https://hooks.example.com:6379/",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com:-1/",
        # Addresses that two parsers read in two ways
        "https://user@127.0.0.1/",
        "https://user:secret@hooks.example.com/",
        "https://hooks.example.com#@127.0.0.1/",
        "https://hooks.example.com\\@127.0.0.1/",
        "https:\\\\127.0.0.1\\",
        "https://hooks.example.com/#fragment",
        "https://hooks.example.com\r\nHost: internal/",
        "https://hooks.example.com/\n",
        "https://hooks.example.com /",
        "https://hooks.exa\tmple.com/",
        "https://hooks.example.com\0.internal/",
        "https://-hooks.example.com/",
        "https://hooks..example.com/",
        "https://%31%32%37.0.0.1/",
        "https://[127.0.0.1]/",
        "https://" + "a" * 2000 + ".example.com/",
    ],
)
def test_addresses_that_lead_or_might_lead_elsewhere_are_refused_before_anybody_is_asked(url: str) -> None:
    with pytest.raises(BlockedAddress):
        read_target(url)


@pytest.mark.parametrize(
    "answers",
    [
        (),
        ("127.0.0.1",),
        ("93.184.215.14", "10.0.0.1"),
        ("2606:4700::1111", "::1"),
        ("64:ff9b::a9fe:a9fe",),
        ("2002:7f00:1::",),
    ],
)
def test_a_name_is_refused_if_any_of_its_addresses_is_internal_or_if_it_has_none(answers: tuple[str, ...]) -> None:
    with pytest.raises(BlockedAddress):
        resolve(read_target("https://hooks.example.com/"), answering(*answers))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "ip6-localhost"])
def test_names_of_this_machine_are_refused_by_what_they_resolve_to(name: str) -> None:
    with pytest.raises(BlockedAddress):
        resolve(read_target(f"https://{name}/"), system_resolver)


def test_a_resolver_that_hangs_is_refused_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.providers.outgoing.targets.RESOLVE_SECONDS", 0.05)

    def hanging(_host: str) -> Sequence[str]:
        time.sleep(1)
        return PUBLIC

    with pytest.raises(BlockedAddress):
        resolve(read_target("https://hooks.example.com/"), hanging)


def test_operators_may_allow_hosts_and_ports_by_name(settings: Settings) -> None:
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1:4318", "collector.internal"]

    for url in ("http://127.0.0.1:4318/v1/logs", "http://collector.internal:8080/", "https://Collector.Internal/"):
        assert resolve(read_target(url), answering("10.0.0.7")) == ("10.0.0.7",)  # type: ignore[arg-type]
    for url in ("http://127.0.0.1:4319/", "https://127.0.0.1/", "http://collector.internal.example.com/"):
        with pytest.raises(BlockedAddress):
            read_target(url)


def test_a_refusal_names_the_place_and_the_rule_and_not_what_was_found() -> None:
    with pytest.raises(InvalidDocument) as refused:
        check_target("https://hooks.example.com/", "settings.url", resolver=answering("10.11.12.13"))  # type: ignore[arg-type]

    [error] = refused.value.errors
    assert (error.code, error.path, error.message) == (
        "blocked_address",
        "settings.url",
        "leads into an internal network",
    )
    assert "10.11" not in str(refused.value)
