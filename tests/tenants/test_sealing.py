"""What is sealed opens with its key, for its tenant and purpose, and for nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.sealing import BrokenSeal, Sealer

SEALER = Sealer(["first secret"], purpose="tests")


@given(st.binary())
def test_what_is_sealed_opens_again(content: bytes) -> None:
    assert SEALER.open(7, SEALER.seal(7, content)) == content


def test_nothing_of_the_content_shows() -> None:
    assert b"CANARY" not in SEALER.seal(7, b"CANARY" * 100)
    assert SEALER.seal(7, b"CANARY") != SEALER.seal(7, b"CANARY")


@pytest.mark.parametrize(
    ("opener", "tenant_id"),
    [
        (SEALER, 70),
        (Sealer(["another"], purpose="tests"), 7),
        (Sealer(["first secret"], purpose="other"), 7),
    ],
)
def test_another_tenant_key_or_purpose_does_not_open_it(opener: Sealer, tenant_id: int) -> None:
    sealed = SEALER.seal(7, b"CANARY")

    with pytest.raises(BrokenSeal) as broken:
        opener.open(tenant_id, sealed)

    assert "CANARY" not in str(broken.value)


def test_what_was_changed_does_not_open() -> None:
    sealed = bytearray(SEALER.seal(7, b"content"))
    sealed[20] ^= 1

    with pytest.raises(BrokenSeal):
        SEALER.open(7, bytes(sealed))


def test_a_new_secret_is_put_before_the_old_one() -> None:
    both = Sealer(["second secret", "first secret"], purpose="tests")

    assert both.open(7, SEALER.seal(7, b"old")) == b"old"
    with pytest.raises(BrokenSeal):
        SEALER.open(7, both.seal(7, b"new"))


def test_without_a_secret_there_is_no_sealer() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Sealer([], purpose="tests")
