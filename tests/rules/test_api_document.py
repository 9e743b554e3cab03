"""The table of the API's addresses, for people, names what the API's document, for machines, describes."""

import re

import pytest
import yaml
from django.conf import settings

DESCRIBED = yaml.safe_load((settings.BASE_DIR / "docs" / "openapi.yaml").read_text())["paths"]
# Without examples, whose marks would part the text elsewhere.
TABLE = re.sub(r"```.*?```", "", (settings.BASE_DIR / "docs" / "api.md").read_text(), flags=re.DOTALL)


def without_names(text: str) -> str:
    """The same, whatever the places in addresses are called."""
    return re.sub(r"\{[^}]*\}", "{}", text)


@pytest.mark.parametrize("path", [path for path in DESCRIBED if path.startswith("/api/v1/")])
def test_every_address_is_in_the_table(path: str) -> None:
    address = without_names(path.removeprefix("/api/v1"))
    # Some with their method before them.
    written = {said.partition("?")[0].split(" ")[-1] for said in re.findall(r"`([^`]+)`", without_names(TABLE))}

    # Addresses that differ in their end stand together: the first whole, the others as "`.../end`".
    ends = [address[place:] for place, character in enumerate(address) if character == "/"][1:]
    assert {address, f"/api/v1{address}", *(f"...{end}" for end in ends)} & written
