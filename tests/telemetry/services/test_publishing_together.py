"""Several people publish at the same time: exactly one wins, and readers only ever see whole versions."""

from functools import partial

import pytest

from telemetry.core.codec import encode_spec
from telemetry.core.errors import DuplicateEvent, StaleRevision
from telemetry.models import EventOwner, SpecRecord, SpecVersion, VersionStatus
from telemetry.services.publishing import archive_version, publish_version
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry
from tests.core.builders import make_event, make_sigil_spec, make_spec
from tests.telemetry.factories import make_draft, make_published
from tests.tenants.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "sigil.telemetry"


def publish(name: str, revision: int) -> SpecVersion:
    with tenant_context(ALL):
        return publish_version(actor=SYSTEM, name=name, expected_revision=revision, change_summary="A good reason")


def save(event_name: str) -> object:
    with tenant_context(ALL):
        return save_event(actor=SYSTEM, spec_name=NAME, event=make_event(event_name))


def archive(version: int) -> SpecVersion:
    with tenant_context(ALL):
        return archive_version(actor=SYSTEM, name=NAME, version=version)


@pytest.mark.parametrize("people", [2, 6])
def test_of_several_publishers_exactly_one_wins(people: int) -> None:
    make_draft()

    results = run_together(*[partial(publish, NAME, 1)] * people)

    winners = [result for result in results if isinstance(result, SpecVersion)]
    losers = [result for result in results if isinstance(result, StaleRevision)]
    assert (len(winners), len(losers)) == (1, people - 1)
    assert all("next version 2" in str(loser) for loser in losers)
    assert SpecVersion.objects.get() == winners[0]
    with tenant_context(ALL):
        assert AuditEntry.objects.filter(action="spec.version.published").count() == 1


def test_an_edit_during_a_publication_is_in_the_draft_or_in_the_version_but_never_half() -> None:
    make_draft()

    published, saved = run_together(partial(publish, NAME, 1), partial(save, "second"))

    record = SpecRecord.objects.get()
    assert not isinstance(saved, Exception)
    assert record.events.count() == 2
    if isinstance(published, SpecVersion):
        assert published.document_bytes == encode_spec(make_sigil_spec())
        assert record.has_changes
    else:
        assert isinstance(published, StaleRevision)
        assert not SpecVersion.objects.exists()


def test_two_specs_that_want_one_event_get_one_owner() -> None:
    names = ["first", "second", "third"]
    for name in names:
        make_draft(make_spec(make_event("shared"), make_event(name), name=name))

    results = run_together(*(partial(publish, name, 1) for name in names))

    refused = [isinstance(result, DuplicateEvent) for result in results]
    assert refused.count(False) == 1
    winner = names[refused.index(False)]
    assert dict(EventOwner.objects.values_list("name", "spec__name")) == {"shared": winner, winner: winner}
    assert SpecVersion.objects.get().spec.name == winner


def test_publishing_and_archiving_at_once_leave_at_most_one_published_version() -> None:
    make_published()
    save("second")

    published, archived = run_together(partial(publish, NAME, 3), partial(archive, 1))

    assert isinstance(published, SpecVersion)
    assert isinstance(archived, SpecVersion)
    statuses = dict(SpecVersion.objects.values_list("version", "status"))
    assert statuses == {1: VersionStatus.ARCHIVED, 2: VersionStatus.PUBLISHED}
