"""Between rows and values."""

import hashlib

import pytest

from telemetry.core.config import (
    AppBlueprint,
    EventOverride,
    PrivacyFloor,
    SpecPointer,
    TenantOverride,
)
from telemetry.core.errors import InvalidDocument
from tenants.mappers import blueprint_of, document_of, floor_of, override_of
from tenants.models import App, FloorRecord, TenantAppConfig

OVERRIDE = TenantOverride(enabled=False, events={"order_placed@2": EventOverride(sampling_rate=0.5)})


def test_a_value_is_stored_in_its_canonical_form_with_its_checksum() -> None:
    document = document_of(OVERRIDE, what="override")

    assert document.text == '{"enabled":false,"events":{"order_placed@2":{"samplingRate":0.5}}}'
    assert document.checksum == hashlib.sha256(document.text.encode()).hexdigest()


def test_a_value_that_code_made_wrongly_is_refused_with_its_path() -> None:
    wrong = TenantOverride(default_sampling_rate=7.5)

    with pytest.raises(InvalidDocument) as refusal:
        document_of(wrong, what="override")

    assert [error.path for error in refusal.value.errors] == ["defaultSamplingRate"]


def test_stored_documents_come_back_as_they_went_in() -> None:
    blueprint = AppBlueprint(spec=SpecPointer(name="sigil.telemetry", version=1))
    floor = PrivacyFloor(forced_off=("order_placed",))

    assert override_of(TenantAppConfig(document=document_of(OVERRIDE, what="override").text)) == OVERRIDE
    assert blueprint_of(App(blueprint=document_of(blueprint, what="blueprint").text)) == blueprint
    assert floor_of(FloorRecord(document=document_of(floor, what="floor").text)) == floor


def test_no_floor_is_an_empty_floor() -> None:
    assert floor_of(None) == PrivacyFloor()
