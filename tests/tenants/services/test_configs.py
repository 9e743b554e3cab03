"""The life of an override, and races for it (attack 82)."""

import pytest

from telemetry.core.config import EventOverride, TenantOverride
from telemetry.core.errors import Conflict, InvalidDocument, NotAllowed, NotFound, StaleRevision, TelemetryError
from tenants.actors import Actor
from tenants.context import ALL, tenant_context
from tenants.mappers import override_of
from tenants.models import AuditEntry, ConfigStatus, Installation, TenantAppConfig
from tenants.roles import Role
from tenants.selectors import draft_config, published_config
from tenants.services.config_drafts import preview_config, save_draft_config
from tenants.services.configs import (
    ConfigCheck,
    archive_config,
    publish_config,
    rollback_config,
)
from tests.tenants.factories import (
    accept_any,
    make_actor,
    make_draft_config,
    make_installation,
    make_published_config,
    make_tenant,
)
from tests.tenants.revisions import own_revision
from tests.tenants.together import run_together

OFF = TenantOverride(enabled=False)
HALF = TenantOverride(default_sampling_rate=0.5)


def publish(
    actor: Actor, config: TenantAppConfig, *, live: int | None = None, check: ConfigCheck = accept_any
) -> TenantAppConfig:
    """Publish ``config`` as it is, in a transaction of its own, by somebody who saw version ``live`` as live."""
    with tenant_context(ALL):
        return publish_config(
            actor=actor,
            config=config,
            change_summary="Turn it off",
            expected_checksum=config.checksum,
            expected_published_number=live,
            check=check,
        )


def roll_back(
    actor: Actor, installation: Installation, number: int, *, live: int, check: ConfigCheck = accept_any
) -> TenantAppConfig:
    """Bring version ``number`` back, by somebody who saw version ``live`` as live."""
    with tenant_context(ALL):
        return rollback_config(
            actor=actor,
            installation=installation,
            number=number,
            change_summary="Back again",
            expected_published_number=live,
            check=check,
        )


def states(installation: Installation) -> list[tuple[int, str]]:
    """Number and status of every version, oldest first."""
    with tenant_context(ALL):
        rows = TenantAppConfig.objects.filter(installation=installation).order_by("number")
        return list(rows.values_list("number", "status"))


def traces(action: str) -> list[AuditEntry]:
    with tenant_context(ALL):
        return list(AuditEntry.objects.filter(action=action))


# Drafts


@pytest.mark.django_db
def test_a_draft_changes_nothing_for_apps() -> None:
    installation = make_installation()
    analyst = make_actor(Role.ANALYST, installation.tenant)

    with tenant_context(analyst.tenant_ids):
        before = own_revision(installation)
        draft = save_draft_config(actor=analyst, installation=installation, override=OFF, expected_checksum=None)

        assert (own_revision(installation), published_config(installation)) == (before, None)
        assert draft_config(installation) == draft
    assert (override_of(draft), draft.number, draft.created_by_label) == (OFF, 1, analyst.label)
    assert [entry.details for entry in traces("config.draft.saved")] == [{"number": 1, "checksum": draft.checksum}]


@pytest.mark.django_db
def test_a_draft_is_saved_over_only_by_who_saw_its_last_state() -> None:
    installation = make_installation()
    analyst, draft = make_actor(Role.ANALYST, installation.tenant), make_draft_config(installation, OFF)

    with tenant_context(ALL):
        save_draft_config(actor=analyst, installation=installation, override=HALF, expected_checksum=draft.checksum)
        for stale in (draft.checksum, None):
            with pytest.raises(StaleRevision):
                save_draft_config(actor=analyst, installation=installation, override=OFF, expected_checksum=stale)

        saved = TenantAppConfig.objects.get()
    assert (override_of(saved), saved.number) == (HALF, 1)


@pytest.mark.django_db
def test_saving_the_same_again_leaves_no_trace() -> None:
    installation = make_installation()
    draft = make_draft_config(installation, OFF)

    with tenant_context(ALL):
        save_draft_config(
            actor=make_actor(Role.ANALYST, installation.tenant),
            installation=installation,
            override=OFF,
            expected_checksum=draft.checksum,
        )

    assert len(traces("config.draft.saved")) == 1


@pytest.mark.django_db
def test_a_bad_override_is_refused_with_its_path() -> None:
    installation = make_installation()
    wrong = TenantOverride(events={"order_placed": EventOverride(sampling_rate=-1.0)})

    with tenant_context(ALL), pytest.raises(InvalidDocument) as refusal:
        save_draft_config(
            actor=make_actor(Role.ADMIN), installation=installation, override=wrong, expected_checksum=None
        )

    assert len(refusal.value.errors) == 1
    assert refusal.value.errors[0].path.endswith("samplingRate")
    assert states(installation) == []


@pytest.mark.django_db
def test_an_installation_outside_the_context_does_not_exist() -> None:
    installation, other = make_installation(), make_tenant()

    with tenant_context((other.pk,)), pytest.raises(NotFound):
        save_draft_config(actor=make_actor(Role.ADMIN), installation=installation, override=OFF, expected_checksum=None)


@pytest.mark.django_db
def test_a_viewer_does_not_draft_and_an_analyst_does_not_publish() -> None:
    installation = make_installation()
    viewer, analyst = make_actor(Role.VIEWER, installation.tenant), make_actor(Role.ANALYST, installation.tenant)
    draft = make_draft_config(installation, OFF)

    with tenant_context(ALL), pytest.raises(NotAllowed):
        save_draft_config(actor=viewer, installation=installation, override=HALF, expected_checksum=draft.checksum)
    with pytest.raises(NotAllowed):
        publish(analyst, draft)

    assert states(installation) == [(1, "draft")]


# Publishing


@pytest.mark.django_db
def test_publishing_supersedes_moves_the_revision_and_leaves_one_trace() -> None:
    installation = make_installation()
    publisher = make_actor(Role.PUBLISHER, installation.tenant)
    make_published_config(installation, HALF)
    draft = make_draft_config(installation, OFF)
    with tenant_context(ALL):
        before = own_revision(installation)

    config = publish(publisher, draft, live=1)

    assert states(installation) == [(1, "superseded"), (2, "published")]
    with tenant_context(ALL):
        assert own_revision(installation) == before + 1
        assert published_config(installation) == config
        config.refresh_from_db()
        assert config.based_on is not None
        assert config.based_on.number == 1
    assert (config.published_by_label, config.change_summary) == (publisher.label, "Turn it off")
    assert config.published_at is not None
    assert traces("config.version.published")[0].details == {
        "number": 2,
        "checksum": draft.checksum,
        "config_revision": before + 1,
        "replaced": 1,
    }


@pytest.mark.django_db
def test_what_was_not_reviewed_is_not_published() -> None:
    installation = make_installation()
    publisher = make_actor(Role.PUBLISHER, installation.tenant)
    reviewed = make_draft_config(installation, OFF)
    with tenant_context(ALL):
        save_draft_config(
            actor=publisher, installation=installation, override=HALF, expected_checksum=reviewed.checksum
        )

    with pytest.raises(StaleRevision, match="changed or published by somebody else"):
        publish(publisher, reviewed)

    assert states(installation) == [(1, "draft")]


@pytest.mark.django_db
def test_a_version_that_went_live_meanwhile_is_named_and_not_replaced() -> None:
    installation = make_installation()
    publisher = make_actor(Role.PUBLISHER, installation.tenant)
    with tenant_context(ALL):
        preview = make_draft_config(installation, OFF)
        preview_config(actor=publisher, config=preview, expected_checksum=preview.checksum)
    make_published_config(installation, HALF)

    with pytest.raises(StaleRevision, match="version 2 went live meanwhile"):
        publish(publisher, preview)

    assert states(installation) == [(1, "preview"), (2, "published")]


@pytest.mark.django_db
def test_a_check_that_refuses_leaves_everything_as_it_was() -> None:
    installation = make_installation()
    make_published_config(installation, HALF)
    draft = make_draft_config(installation, OFF)
    with tenant_context(ALL):
        before = own_revision(installation)
    seen: list[TenantOverride] = []

    def refuse(config: TenantAppConfig) -> None:
        seen.append(override_of(config))
        raise Conflict("this would loosen privacy")

    with pytest.raises(Conflict, match="loosen"):
        publish(make_actor(Role.PUBLISHER, installation.tenant), draft, live=1, check=refuse)

    assert seen == [OFF]
    assert states(installation) == [(1, "published"), (2, "draft")]
    with tenant_context(ALL):
        assert own_revision(installation) == before


@pytest.mark.django_db
@pytest.mark.parametrize("summary", ["", "  ", "nul\x00", "x" * 4001])
def test_a_publication_needs_a_change_summary(summary: str) -> None:
    draft = make_draft_config(make_installation(), OFF)

    with tenant_context(ALL), pytest.raises(InvalidDocument) as refusal:
        publish_config(
            actor=make_actor(Role.PUBLISHER, draft.installation.tenant),
            config=draft,
            change_summary=summary,
            expected_checksum=draft.checksum,
            expected_published_number=None,
            check=accept_any,
        )

    assert [error.path for error in refusal.value.errors] == ["change_summary"]


@pytest.mark.django_db
def test_a_preview_is_final_and_leaves_room_for_a_new_draft() -> None:
    installation = make_installation()
    analyst = make_actor(Role.ANALYST, installation.tenant)
    draft = make_draft_config(installation, OFF)

    with tenant_context(ALL):
        with pytest.raises(StaleRevision):
            preview_config(actor=analyst, config=draft, expected_checksum="0" * 64)
        preview_config(actor=analyst, config=draft, expected_checksum=draft.checksum)
    make_draft_config(installation, HALF)

    assert states(installation) == [(1, "preview"), (2, "draft")]
    assert len(traces("config.preview.opened")) == 1


# Going back


@pytest.mark.django_db
def test_a_rollback_is_a_new_version_that_keeps_its_lineage() -> None:
    installation = make_installation()
    publisher = make_actor(Role.PUBLISHER, installation.tenant)
    first = make_published_config(installation, OFF)
    make_published_config(installation, HALF)
    make_draft_config(installation)
    with tenant_context(ALL):
        before = own_revision(installation)

    restored = roll_back(publisher, installation, 1, live=2)

    assert states(installation) == [(1, "superseded"), (2, "superseded"), (3, "draft"), (4, "published")]
    assert (restored.document, restored.based_on_id) == (first.document, first.pk)
    assert traces("config.version.rolled_back")[0].details == {
        "number": 4,
        "checksum": first.checksum,
        "config_revision": before + 1,
        "replaced": 2,
        "restored": 1,
    }
    with tenant_context(ALL):
        assert own_revision(installation) == before + 1


@pytest.mark.django_db
def test_a_check_that_refuses_what_comes_back_leaves_everything_as_it_was() -> None:
    installation = make_installation()
    make_published_config(installation, OFF)
    make_published_config(installation, HALF)

    def refuse(config: TenantAppConfig) -> None:
        raise Conflict(f"not with {override_of(config)}")

    with pytest.raises(Conflict, match="enabled=False"):
        roll_back(make_actor(Role.PUBLISHER, installation.tenant), installation, 1, live=2, check=refuse)

    assert states(installation) == [(1, "superseded"), (2, "published")]


@pytest.mark.django_db
@pytest.mark.parametrize(("number", "error"), [(2, Conflict), (3, Conflict), (9, NotFound)])
def test_only_a_superseded_version_comes_back(number: int, error: type[TelemetryError]) -> None:
    installation = make_installation()
    make_published_config(installation, OFF)
    make_published_config(installation, HALF)
    make_draft_config(installation)

    with pytest.raises(error):
        roll_back(make_actor(Role.PUBLISHER, installation.tenant), installation, number, live=2)

    assert states(installation) == [(1, "superseded"), (2, "published"), (3, "draft")]


# Putting away


@pytest.mark.django_db
def test_all_but_the_live_version_can_be_archived_once() -> None:
    installation = make_installation()
    analyst = make_actor(Role.ANALYST, installation.tenant)
    old, live, draft = (
        make_published_config(installation, OFF),
        make_published_config(installation, HALF),
        make_draft_config(installation),
    )

    with tenant_context(ALL):
        archive_config(actor=analyst, config=old)
        archive_config(actor=analyst, config=draft)
        for config in (live, old):
            with pytest.raises(Conflict):
                archive_config(actor=analyst, config=config)

    assert states(installation) == [(1, "archived"), (2, "published"), (3, "archived")]
    assert len(traces("config.version.archived")) == 2


# At the same time


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("publishers", [2, 6])
def test_of_several_publishers_of_one_draft_exactly_one_wins(publishers: int) -> None:
    installation = make_installation()
    publisher = make_actor(Role.PUBLISHER, installation.tenant)
    draft = make_draft_config(installation, OFF)

    results = run_together(*[lambda: publish(publisher, draft)] * publishers)

    assert [type(result) for result in results].count(TenantAppConfig) == 1
    assert [type(result) for result in results].count(StaleRevision) == publishers - 1
    assert states(installation) == [(1, "published")]
    assert len(traces("config.version.published")) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_publishers_of_different_versions_one_wins_and_the_other_learns_which() -> None:
    installation = make_installation()
    publisher = make_actor(Role.PUBLISHER, installation.tenant)
    preview = make_draft_config(installation, OFF)
    with tenant_context(ALL):
        preview_config(actor=publisher, config=preview, expected_checksum=preview.checksum)
    draft = make_draft_config(installation, HALF)

    results = run_together(lambda: publish(publisher, preview), lambda: publish(publisher, draft))

    with tenant_context(ALL):
        live = published_config(installation)
    assert live is not None
    assert results.count(live) == 1
    assert [str(result) for result in results if result != live] == [
        f"version {live.number} went live meanwhile; reload"
    ]


@pytest.mark.django_db(transaction=True)
def test_publishing_rolling_back_and_archiving_at_once_leave_one_live_version() -> None:
    installation = make_installation()
    publisher = make_actor(Role.PUBLISHER, installation.tenant)
    old = make_published_config(installation, OFF)
    make_published_config(installation, HALF)
    draft = make_draft_config(installation)

    def archive() -> TenantAppConfig:
        with tenant_context(ALL):
            return archive_config(actor=publisher, config=old)

    results = run_together(
        lambda: publish(publisher, draft, live=2), lambda: roll_back(publisher, installation, 1, live=2), archive
    )

    assert [status for _, status in states(installation)].count(ConfigStatus.PUBLISHED) == 1
    # Two versions were published to begin with.
    assert len(traces("config.version.published")) + len(traces("config.version.rolled_back")) == 2 + 1
    assert [isinstance(result, TenantAppConfig) for result in results[:2]].count(True) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_begin_a_draft_at_the_same_time_one_wins() -> None:
    installation = make_installation()
    analyst = make_actor(Role.ANALYST, installation.tenant)

    def save() -> int:
        with tenant_context(ALL):
            return save_draft_config(
                actor=analyst, installation=installation, override=OFF, expected_checksum=None
            ).number

    results = run_together(save, save)

    assert sorted(type(result).__name__ for result in results) == ["StaleRevision", "int"]
    assert states(installation) == [(1, "draft")]
