"""Whole words tell personal data, identifiers and secrets from names that only contain the same letters."""

import pytest

from telemetry.core.enums import PropertyType
from telemetry.core.lint.personal import is_identifier_name, is_secret_name, personal_kind

STRING, NUMBER = PropertyType.STRING, PropertyType.NUMBER


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("email", "an e-mail address"),
        ("billing_emails", "an e-mail address"),
        ("e-mail", "an e-mail address"),
        ("phoneNumber", "a phone number"),
        ("lastName", "a person's name"),
        ("user name", "a person's name"),
        ("name", "a person's name"),
        ("address", "a postal address"),
        ("shippingAddress", "a postal address"),
        ("$ip", "an IP address"),
        ("clientIPAddress", "an IP address"),
        ("date_of_birth", "a date of birth"),
        ("lat", "a place on the map"),
        ("ssn", "a government number"),
        ("customerIban", "bank or card details"),
        ("cardNumber", "bank or card details"),
        ("gender", "a trait of a person"),
    ],
)
def test_names_of_personal_data_are_told(name: str, kind: str) -> None:
    assert personal_kind(name, STRING) == kind


@pytest.mark.parametrize(
    "name",
    [
        *("tooltip", "description", "shipping", "zipped", "recipe", "surnameless", "latency", "slug", "phonetic"),
        *("productName", "fileName", "workflow_name", "memoryAddress", "cardinality", "businessCard", "platform"),
        *(
            "emailType",
            "phoneModel",
            "addressFormat",
            "emailVerified",
            "emailTemplate",
            "email_domain",
            "ipVersion",
            "_$",
        ),
    ],
)
def test_names_that_only_look_like_personal_data_are_not(name: str) -> None:
    assert personal_kind(name, STRING) is None


@pytest.mark.parametrize(
    ("name", "type_", "is_personal"),
    [
        ("email", PropertyType.BOOLEAN, False),
        ("emailCount", NUMBER, False),
        ("ssn", NUMBER, True),
        ("latitude", NUMBER, True),
        ("email", PropertyType.JSON, True),
        ("birthDate", PropertyType.TIMESTAMP, True),
        ("emailSentTimestamp", PropertyType.TIMESTAMP, False),
    ],
)
def test_the_type_must_be_able_to_hold_it(name: str, type_: PropertyType, is_personal: bool) -> None:
    assert (personal_kind(name, type_) is not None) is is_personal


@pytest.mark.parametrize(
    ("name", "type_", "expected"),
    [
        *((name, STRING, True) for name in ("userId", "user_id", "uid", "$device.id", "anonymousId", "customerNumber")),
        *((name, STRING, False) for name in ("orderId", "tenantId", "workflow_id", "userIdType", "guidance", "id")),
        ("accountId", NUMBER, True),
        ("userIdCount", NUMBER, False),
        ("userId", PropertyType.BOOLEAN, False),
        ("userId", PropertyType.JSON, False),
    ],
)
def test_identifiers_of_somebody_are_told_from_those_of_something(
    name: str, type_: PropertyType, expected: bool
) -> None:
    assert is_identifier_name(name, type_) is expected


@pytest.mark.parametrize(
    ("name", "type_", "expected"),
    [
        *(
            (name, STRING, True)
            for name in ("password", "projectApiKey", "access_token", "clientSecret", "Authorization")
        ),
        *(
            (name, STRING, False)
            for name in ("tokenType", "passwordStrength", "secretName", "keyId", "keyboard", "tokens_path")
        ),
        ("tokens", NUMBER, False),
        ("password", PropertyType.BOOLEAN, False),
        ("credentials", PropertyType.JSON, True),
    ],
)
def test_secrets_are_told_from_what_speaks_about_them(name: str, type_: PropertyType, expected: bool) -> None:
    assert is_secret_name(name, type_) is expected
