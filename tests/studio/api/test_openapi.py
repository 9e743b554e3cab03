"""The API's own description: complete, valid, and the one that is committed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from jsonschema import Draft202012Validator

from studio.api.v1 import examples, urls
from studio.api.v1.access import serializers as accesses
from studio.api.v1.alerts import serializers as alerts
from studio.api.v1.alerts.routes import AlertRouteBody
from studio.api.v1.erasure import serializers as erasures
from studio.api.v1.findings import serializers as findings
from studio.api.v1.floor_exceptions.serializers import NewException
from studio.api.v1.incidents import serializers as incidents
from studio.api.v1.installations import serializers as installations
from studio.api.v1.installations.serializers import ConfigPublication, ConfigRollback
from studio.api.v1.proposals import serializers as proposals
from studio.api.v1.providers import serializers as providers
from studio.api.v1.retention import serializers as retention
from studio.api.v1.reviews import serializers as reviews
from studio.api.v1.reviews.serializers import NewComment, NewReview, Objection, Remark
from studio.api.v1.specs import serializers as specs
from studio.api.v1.specs.serializers import SpecPublication
from studio.api.v1.tenants.serializers import NewTenant
from studio.api.v1.violations import serializers as violations
from telemetry.core.codec import convert_document, encode_spec
from telemetry.core.config import PrivacyFloor, TenantOverride
from telemetry.core.mending import Mending
from telemetry.core.spec import TelemetrySpec
from telemetry.models import (
    ErasureState,
    ExportState,
    FindingState,
    ForwardState,
    IncidentStatus,
    PrivacyFinding,
    PromiseState,
    ProposalStatus,
    ReviewState,
    Verdict,
    VersionStatus,
    ViolationRecord,
    ViolationState,
)
from telemetry.services.erasure.requests import request_erasure
from telemetry.services.holds import place_hold
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import ConfigStatus
from tenants.roles import Role, Scope
from tests.core.builders import make_sigil_spec
from tests.studio.api.calls import Caller, caller_with_role
from tests.telemetry.factories import (
    ingest,
    make_incoming,
    make_installation,
    make_provider,
    make_published,
    make_review,
)
from tests.tenants.factories import make_draft_config, make_key, make_published_config

COMMITTED = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(COMMITTED.read_text())
    return read


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_committed_description_is_the_present_one(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"

    call_command("spectacular", "--file", str(made), "--validate", "--fail-on-warn")

    assert made.read_text() == COMMITTED.read_text(), "run: manage.py spectacular --file docs/openapi.yaml"


def test_every_address_is_described(document: dict[str, Any]) -> None:
    described = {re.sub(r"\{.*?\}", "{}", path) for path in document["paths"]}

    routed = {"/api/v1/" + re.sub(r"<.*?>", "{}", str(pattern.pattern)) for pattern in urls.urlpatterns}

    assert described == routed


def test_every_operation_has_a_name_a_sentence_and_its_errors(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]

    assert len(set(names)) == len(names)
    for path, method, operation in operations(document):
        assert operation["description"].endswith("."), (path, method)
        expected = {"400", "429", "500", "503"} | ({"404"} if "{" in path else set())
        expected |= {"401", "403"} if any(operation.get("security", [])) else set()
        expected |= {"409"} if method in ("post", "put") else set()
        expected |= {"413", "415"} if "requestBody" in operation else set()
        assert expected <= set(operation["responses"]), (path, method)


def test_nothing_is_described_as_anything(document: dict[str, Any]) -> None:
    vague = [
        (path, method, status)
        for path, method, operation in operations(document)
        for status, response in operation["responses"].items()
        for content in response.get("content", {}).values()
        if "$ref" not in content["schema"]
    ]

    # The two addresses whose answers are schemas themselves, events, and files.
    assert {path for path, _, _ in vague} == {
        "/api/v1/config/stream",
        "/api/v1/schema",
        "/api/v1/schemas/telemetry-spec.json",
        "/api/v1/events.csv",
        "/api/v1/violations.csv",
    }


def test_keys_and_sessions_are_the_ways_in(document: dict[str, Any]) -> None:
    assert set(document["components"]["securitySchemes"]) == {"key", "session"}
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert document["paths"]["/api/v1/config"]["get"]["security"] == [{"key": []}]


@pytest.mark.parametrize(
    ("example", "type_"),
    [
        (examples.SPEC, TelemetrySpec),
        (examples.SPEC_PUBLICATION, SpecPublication),
        (examples.NEW_TENANT, NewTenant),
        (examples.OVERRIDE, TenantOverride),
        (examples.CONFIG_PUBLICATION, ConfigPublication),
        (examples.CONFIG_ROLLBACK, ConfigRollback),
        (examples.FLOOR, PrivacyFloor),
        (examples.FLOOR_EXCEPTION, NewException),
        (examples.CONFIG_PREVIEW, installations.ConfigPreview),
        (examples.CONFIG_SCHEDULE, installations.ConfigSchedule),
        (examples.CONFIG_PROMOTION, installations.ConfigPromotion),
        (examples.BULK_CHANGE, installations.BulkChange),
        (examples.REVIEW, NewReview),
        (examples.REVIEW_COMMENT, NewComment),
        (examples.REVIEW_OBJECTION, Objection),
        (examples.REVIEW_REMARK, Remark),
        (examples.VIOLATION_DECISION, violations.ViolationDecision),
        (examples.FINDING_ACCEPTANCE, findings.FindingAcceptance),
        (examples.FINDING_DISMISSAL, findings.FindingDismissal),
        (examples.FINDING_SNOOZE, findings.FindingSnooze),
        (examples.MENDING, Mending),
        (examples.INCIDENT_ASSIGNMENT, incidents.IncidentAssignment),
        (examples.INCIDENT_COMMENT, incidents.IncidentComment),
        (examples.INCIDENT_MUTE, incidents.IncidentMute),
        (examples.NEW_ACCESS, accesses.NewAccess),
        (examples.NEW_ERASURE, erasures.NewErasure),
        (examples.NEW_PROVIDER, providers.NewProvider),
        (examples.PROVIDER_CHANGE, providers.ProviderChange),
        (examples.PROVIDER_SWITCH, providers.ProviderSwitch),
        (examples.RESEND, providers.Resend),
        (examples.PROPOSAL_ACCEPTANCE, proposals.ProposalAcceptance),
        (examples.PROPOSAL_REJECTION, proposals.ProposalRejection),
        (examples.PROPOSAL_SNOOZE, proposals.ProposalSnooze),
        (examples.PROPOSAL_TAKING_BACK, proposals.ProposalTakingBack),
        (examples.BACKTEST, incidents.BacktestRequest),
        (examples.PURGE_APPROVAL, retention.Approval),
        (examples.RETENTION_PREVIEW, retention.PreviewRequest),
        (examples.NEW_HOLD, retention.NewHold),
        (examples.HOLD_LIFTING, retention.Lifting),
        (examples.ALERT_CHANNEL, alerts.NewAlertChannel),
        (examples.ALERT_CHANNEL_CHANGE, alerts.AlertChannelChange),
        (examples.ALERT_TEMPLATES, alerts.AlertTemplates),
        (examples.ALERT_SWITCH, alerts.AlertChannelSwitch),
        (examples.ALERT_MUTE, alerts.AlertMute),
        (examples.ALERT_ROUTE, AlertRouteBody),
    ],
)
def test_every_example_is_valid(example: Any, type_: type) -> None:
    assert convert_document(example.value, type_, what="example") is not None


def validate(document: dict[str, Any], name: str, instance: object) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    Draft202012Validator(schema).validate(instance)


@pytest.mark.django_db
def test_what_is_answered_is_what_is_described(document: dict[str, Any]) -> None:
    make_published()
    installation = make_installation()
    make_published_config(installation)
    make_draft_config(installation)
    admin = caller_with_role(Role.ADMIN)
    review = make_review()
    provider = make_provider(installation)
    ingest(installation, make_incoming(name="made_up"), make_incoming(properties={"contact": "alice@example.com"}))
    with tenant_context(ALL):
        violation = ViolationRecord.objects.get(code="unknown_event")
        finding = PrivacyFinding.objects.get()
        [erasure] = request_erasure(actor=SYSTEM, subjects=["u-4711"], tenants=[installation.tenant])
        hold = place_hold(actor=SYSTEM, tenant=installation.tenant, reason="Case 12")
    app = Caller(key=make_key(installation, Scope.CONFIG_READ, Scope.CONFIG_SECRET).text)
    place = f"/api/v1/installations/{installation.public_id}"
    calls = {
        "/api/v1/specs": "SpecPage",
        "/api/v1/specs/sigil.telemetry": "SpecItem",
        "/api/v1/specs/sigil.telemetry/draft": "TelemetrySpec",
        "/api/v1/specs/sigil.telemetry/versions": "SpecVersionPage",
        "/api/v1/specs/sigil.telemetry/versions/1": "TelemetrySpec",
        "/api/v1/specs/sigil.telemetry/diff?from=1&to=1": "DiffPage",
        "/api/v1/specs/sigil.telemetry/diff": "DiffPage",
        "/api/v1/specs/sigil.telemetry/impact": "ImpactPage",
        "/api/v1/specs/sigil.telemetry/what-if": "WhatIfAnswer",
        "/api/v1/specs/sigil.telemetry/reviews": "ReviewPage",
        f"/api/v1/reviews/{review.pk}": "ReviewDetail",
        f"/api/v1/reviews/{review.pk}/comments": "CommentPage",
        "/api/v1/events?search=step": "EventPage",
        "/api/v1/violations": "ViolationPage",
        f"/api/v1/violations/{violation.pk}": "ViolationDetail",
        "/api/v1/privacy-findings": "PrivacyFindingPage",
        "/api/v1/quarantine": "HeldGroupPage",
        f"/api/v1/privacy-findings/{finding.pk}": "PrivacyFindingItem",
        "/api/v1/incidents": "IncidentPage",
        "/api/v1/proposals": "ProposalPage",
        "/api/v1/tenants": "TenantPage",
        "/api/v1/tenants/acme": "TenantItem",
        "/api/v1/apps": "AppPage",
        "/api/v1/floor": "FloorItem",
        f"/api/v1/apps/{installation.app.slug}/floor": "FloorItem",
        "/api/v1/floor-exceptions": "ExceptionPage",
        "/api/v1/installations": "InstallationPage",
        "/api/v1/erasure-requests": "ErasurePage",
        "/api/v1/purge-runs": "RunPage",
        "/api/v1/purge-runs/next": "PreviewAnswer",
        "/api/v1/specs/sigil.telemetry/retention-preview": "PreviewAnswer",
        f"{place}/retention": "RetentionAnswer",
        "/api/v1/legal-holds": "HoldPage",
        f"/api/v1/legal-holds/{hold.pk}": "HoldItem",
        "/api/v1/receipts": "ReceiptPage",
        "/api/v1/archive-files": "ArchiveFilePage",
        "/api/v1/rescrubs": "RescrubPage",
        f"/api/v1/erasure-requests/{erasure.public_id}": "ErasureItem",
        "/api/v1/access-exports": "AccessPage",
        "/api/v1/providers": "ProviderPage",
        f"/api/v1/providers/{provider.public_id}": "ProviderItem",
        f"/api/v1/providers/{provider.public_id}/deliveries?state=waiting": "DeliveryPage",
        place: "InstallationItem",
        f"{place}/config": "ConfigState",
        f"{place}/config/versions": "ConfigVersionPage",
        f"{place}/effective-config?explain=1": "ExplainedAppConfig",
        "/api/v1/specs/unknown": "ErrorBody",
        "/api/v1/specs?page=0": "ErrorBody",
    }

    for address, name in calls.items():
        validate(document, name, admin.get(address).json())
    validate(document, "ExplainedAppConfig", app.get("/api/v1/config").json())
    validate(document, "ExplainedAppConfig", app.get("/api/v1/config", {"explain": 1}).json())
    validate(document, "ErrorBody", Caller().get("/api/v1/config").json())


def test_the_schema_of_specs_takes_valid_specs_only(document: dict[str, Any]) -> None:
    spec = yaml.safe_load(encode_spec(make_sigil_spec()))

    validate(document, "TelemetrySpec", spec)

    spec["events"][0]["sampling"] = {"rate": 7.5}
    schema = {"$ref": "#/components/schemas/TelemetrySpec", "components": document["components"]}
    [error] = Draft202012Validator(schema).iter_errors(spec)
    assert list(error.absolute_path) == ["events", 0, "sampling"]


@pytest.mark.django_db
def test_the_description_is_served_to_who_has_a_key_or_login(document: dict[str, Any]) -> None:
    viewer = caller_with_role(Role.VIEWER)

    as_json, as_yaml = viewer.get("/api/v1/schema"), viewer.get("/api/v1/schema", Accept="application/yaml")

    assert as_json.json() == yaml.safe_load(as_yaml.content) == document
    assert Caller().get("/api/v1/schema").status_code == 401


@pytest.mark.django_db
def test_the_schema_of_specs_is_public() -> None:
    answer = Caller().get("/api/v1/schemas/telemetry-spec.json")

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "public, max-age=3600"
    assert answer.json()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator(answer.json()).validate(yaml.safe_load(encode_spec(make_sigil_spec())))


def test_each_status_of_the_models_is_described() -> None:
    assert set(get_args(erasures.State)) == set(ErasureState.values)
    assert set(get_args(erasures.ForwardWord)) == set(ForwardState.values)
    assert set(get_args(accesses.State)) == set(ExportState.values)
    assert set(get_args(specs.Status)) == set(VersionStatus.values)
    assert set(get_args(reviews.State)) == set(ReviewState.values)
    assert set(get_args(reviews.Decision)) == set(Verdict.values) - {""}
    assert set(get_args(installations.Status)) == set(ConfigStatus.values)
    assert set(get_args(findings.State)) == set(FindingState.values)
    assert set(get_args(incidents.State)) == set(IncidentStatus.values)
    assert set(get_args(proposals.State)) == set(ProposalStatus.values)
    assert set(get_args(proposals.Outcome)) == set(PromiseState.values)
    assert set(get_args(violations.State)) == set(ViolationState.values)
