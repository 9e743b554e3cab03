"""What never stands in a log."""

import logging

import pytest

from studio.logs import HideKeys
from telemetry.core.enums import Environment
from tenants.keys import mint


@pytest.mark.parametrize("template", ["Not Found: %s", "%s"])
def test_the_secret_of_a_key_is_taken_out_of_messages(template: str) -> None:
    key = mint(Environment.PRODUCTION, "app")
    path = f"/ingest/posthog/array/{key.text}/surveys"
    record = logging.LogRecord("django.request", logging.WARNING, __file__, 1, template, (path,), None)

    assert HideKeys().filter(record)

    secret = key.text.split(f"{key.lookup}_")[1]
    assert secret not in record.getMessage()
    assert f"tgs_prd_app_{key.lookup}..." in record.getMessage()
    assert record.getMessage().endswith("/surveys")


def test_other_messages_stay_as_they_are() -> None:
    record = logging.LogRecord("studio", logging.INFO, __file__, 1, "config.published %s", ("acme",), None)

    assert HideKeys().filter(record)

    assert (record.msg, record.args) == ("config.published %s", ("acme",))
