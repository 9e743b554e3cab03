"""Every page in a real browser: nothing wider than the screen, no script that fails, readable in the dark."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from telemetry.core.config import EventOverride, PrivacyFloor, TenantOverride
from telemetry.core.enums import PrivacyLevel
from telemetry.models import (
    AlertRoute,
    ErasureRequest,
    ErasureState,
    Incident,
    LegalHold,
    PrivacyFinding,
    PurgeRun,
    RescrubRun,
    RescrubState,
    ViolationRecord,
)
from telemetry.services.access.requests import request_access
from telemetry.services.erasure.requests import request_erasure
from telemetry.services.holds import place_hold
from telemetry.services.overrides import schedule_override
from telemetry.services.purging.service import purge
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, ConfigPeriod, ConfigStatus, Installation, TenantAppConfig
from tenants.roles import Role
from tenants.services.floors import save_floor
from tests.browser.conftest import PersonMaker
from tests.core.builders import make_event, make_spec
from tests.telemetry.factories import (
    ingest,
    make_channel,
    make_draft,
    make_incoming,
    make_installation,
    make_proposal,
    make_provider,
    make_published,
)
from tests.telemetry.services.alerts.cases import Case
from tests.telemetry.services.purging.factories import store
from tests.telemetry.services.quarantine.held import held, make_holding_spec
from tests.tenants.factories import (
    make_draft_config,
    make_floor_exception,
    make_key,
    make_membership,
    make_published_config,
    make_user,
)

pytestmark = pytest.mark.django_db(transaction=True)

LISTS = [
    "",
    "specs/",
    "events/",
    "versions/",
    "event-specs/",
    "tenants/",
    "apps/",
    "installations/",
    "configs/",
    "api-keys/",
    "floors/",
    "floor-exceptions/",
    "people/",
    "roles/",
    "audit/",
    "live/",
    "violations/",
    "quarantine/",
    "retention/",
    "purges/",
    "legal-holds/",
    "legal-holds/place/",
    "archive/",
    "rescrubs/",
    "rescrubs/count/",
    "receipts/",
    "privacy-inbox/",
    "erasure/",
    "erasure/new/",
    "access/",
    "access/new/",
    "providers/",
    "providers/connect/",
    "proposals/",
    "alerts/",
    "alerts/channels/new/",
    "alerts/routes/new/",
    "password_change/",
]
NO_FORM = {
    "proposals/",
    "versions/",
    "configs/",
    "audit/",
    "live/",
    "violations/",
    "quarantine/",
    "retention/",
    "purges/",
    "legal-holds/",
    "legal-holds/place/",
    "archive/",
    "rescrubs/",
    "rescrubs/count/",
    "receipts/",
    "privacy-inbox/",
    "erasure/",
    "erasure/new/",
    "access/",
    "access/new/",
    "providers/",
    "providers/connect/",
    "alerts/",
    "alerts/channels/new/",
    "alerts/routes/new/",
    "password_change/",
}
FORMS = [f"{name}add/" for name in LISTS[1:] if name not in NO_FORM]


def plan(draft: TenantAppConfig) -> ConfigPeriod:
    """The draft goes live in an hour."""
    with tenant_context(ALL):
        return schedule_override(
            actor=SYSTEM,
            config=draft,
            change_summary="Later",
            expected_checksum=draft.checksum,
            expected_published_number=None,
            starts_at=timezone.now() + timedelta(hours=1),
            ends_at=None,
        )


def make_retention(installation: Installation) -> tuple[PurgeRun, LegalHold]:
    """A run that is done, and a hold in force."""
    store(installation, 3, days_ago=8, days=7)
    store(installation, 3, days_ago=2, days=90)
    purge()
    with tenant_context(ALL):
        hold = place_hold(actor=SYSTEM, tenant=installation.tenant, reason="Case " + "12" * 40, subject="ann")
        return PurgeRun.objects.latest("id"), hold


def make_rescrub(installation: Installation) -> RescrubRun:
    """A run that waits for a decision."""
    counts = {"store": {"a" * 100 + "@1": 1_234_567}, "held": {"step@1": 3}}
    with tenant_context(ALL):
        return RescrubRun.objects.create(
            tenant_id=installation.tenant_id,
            installation=installation,
            state=RescrubState.READY,
            reason="config",
            config_revision=1,
            found=counts,
            asked_by="system",
        )


def pages_of_a_full_workspace() -> list[str]:
    """Their paths; every list has a row and every row its page."""
    version = make_published(make_holding_spec())
    long_name = "a.very.long.event.name.that.somebody.chose.without.any.space.in.it.and.never.changed"
    draft = make_draft(make_spec(make_event(long_name, privacy=PrivacyLevel.SENSITIVE), name="second"))
    event = draft.events.get()
    step = "sigil.telemetry.workflow_step"
    installation = make_installation("acme", override=TenantOverride(events={step: EventOverride(enabled=False)}))
    make_published_config(installation)
    draft_config = make_draft_config(installation)
    elsewhere = make_installation("staging", override=None)
    period = plan(make_draft_config(elsewhere))
    exception = make_floor_exception(installation)
    key = make_key(installation).key
    busy = make_installation("busy")
    ingest(
        busy,
        make_incoming(properties={"step": "a", "contact": "alice@example.com"}),
        make_incoming(
            properties={"durationMs": "slow", "a_very_long_name_that_nobody_has_declared_in_any_spec_at_all": 1}
        ),
    )
    provider = make_provider(installation, name="a" * 64)
    run, hold = make_retention(installation)
    rescrub = make_rescrub(installation)
    channel = make_channel(installation.tenant, name="a" * 64, last_error="mail_not_set_up", failures=1)
    Case(installation).judge()
    with tenant_context(ALL):
        [erasure] = request_erasure(actor=SYSTEM, subjects=["u-4711"], tenants=[busy.tenant], reference="A" * 64)
        counted = [["store", busy.pk, long_name, 12_345]]
        ErasureRequest.objects.update(
            state=ErasureState.READY, found=counted, trouble="the live stream does not answer"
        )
        request_access(actor=SYSTEM, subjects=["u-4711"], tenants=[busy.tenant], reference="A" * 64)
    membership = make_membership(make_user("ana"), Role.PRIVACY_OFFICER, installation.tenant)
    with tenant_context(ALL):
        floor = save_floor(
            actor=SYSTEM,
            app=None,
            floor=PrivacyFloor(maximum_retention_days={PrivacyLevel.PII: 30}),
            expected_revision=0,
        )
        entry = AuditEntry.objects.latest("id")
        violation = ViolationRecord.objects.filter(code="undeclared_property").latest("id")
        finding = PrivacyFinding.objects.get()
        incident = Incident.objects.get()
        route = AlertRoute.objects.get()
        superseded = installation.configs.get(status=ConfigStatus.SUPERSEDED)
    rows = [
        *(f"specs/{draft.pk}/{page}/" for page in ("change", "publish", "import", "discard", "what-if")),
        *(f"events/{event.pk}/{page}/" for page in ("change", "remove")),
        *(f"versions/{version.pk}/{page}/" for page in ("change", "archive")),
        *(f"tenants/{installation.tenant_id}/{page}/" for page in ("change", "switch", "pseudonym-key")),
        f"apps/{installation.app_id}/change/",
        *(
            f"installations/{installation.public_id}/{page}/"
            for page in ("change", "toggles", "reset", "compare", "promote", "config", "explain", "history")
        ),
        f"installations/{installation.public_id}/toggle_event/?event={step}@1",
        f"installations/{busy.public_id}/draft/?name=seen&days=7",
        *(f"configs/{draft_config.pk}/{page}/" for page in ("release", "what-if")),
        f"configs/periods/{period.pk}/end/",
        *(f"floor-exceptions/{exception.pk}/{page}/" for page in ("change", "revoke")),
        *(f"configs/{superseded.pk}/{page}/" for page in ("change", "rollback", "archive")),
        *(f"api-keys/{key.pk}/{page}/" for page in ("change", "revoke", "rotate")),
        f"floors/{floor.pk}/change/",
        *(f"people/{User.objects.get(username='ana').pk}/{page}/" for page in ("change", "password")),
        *(f"roles/{membership.pk}/{page}/" for page in ("change", "revoke")),
        f"audit/{entry.pk}/change/",
        f"violations/{violation.pk}/",
        f"privacy-inbox/{finding.pk}/",
        *(f"alerts/channels/{channel.public_id}/{page}" for page in ("", "resend/", "remove/")),
        *(f"alerts/routes/{route.pk}/{page}" for page in ("", "remove/")),
        f"incidents/{incident.pk}/",
        f"proposals/{make_proposal().pk}/",
        *(f"providers/{provider.public_id}/{page}" for page in ("", "resend/", "remove/")),
        f"retention/?installation={installation.public_id}",
        f"purges/{run.pk}/",
        f"legal-holds/{hold.pk}/lift/",
        *(f"erasure/{erasure.public_id}/{page}" for page in ("", "confirm/", "cancel/")),
        *(f"rescrubs/{rescrub.public_id}/{page}" for page in ("", "start/", "cancel/")),
        *(f"quarantine/{held()[0].pk}/{page}" for page in ("", "discard/")),
    ]
    return [f"/studio/{path}" for path in (*LISTS, *FORMS, *rows)]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_page_fits_the_screen_and_no_script_complains(person: PersonMaker, width: int, scheme: str) -> None:
    paths = pages_of_a_full_workspace()
    admin = person(superuser=True, width=width, color_scheme=scheme)
    wider, broken = [], []

    for path in paths:
        answer = admin.page.goto(admin.address + path)
        assert answer is not None
        if answer.status != 200:
            broken.append((path, answer.status))
        if admin.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wider.append(path)

    assert broken == []
    assert wider == []
    assert admin.complaints == []


@pytest.mark.parametrize("width", [1280, 390])
def test_pages_can_be_used_without_scripts(person: PersonMaker, width: int) -> None:
    make_published()
    admin = person(superuser=True, width=width, java_script_enabled=False)

    for path in ("/studio/", "/studio/tenants/", "/studio/tenants/add/", "/studio/audit/"):
        admin.open(path)
        # A trial click: the element is there, visible, and nothing lies over it.
        for name in ("Overview", "Installations"):
            admin.page.locator("#nav-sidebar a", has_text=name).click(trial=True)
        admin.page.get_by_role("button", name="Log out").click(trial=True)
    admin.page.get_by_role("button", name="Apply filters").click(trial=True)
    admin.page.locator("#result_list tbody a").first.click(trial=True)
