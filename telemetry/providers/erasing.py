"""Telling a provider to erase a person: how each kind is told, and what it needs for that beyond its settings."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final, NamedTuple, Protocol
from uuid import UUID

import msgspec

from telemetry.models import ProviderKind
from telemetry.providers.base import Connection, Settings
from telemetry.providers.internal import InternalSettings
from telemetry.providers.outgoing.session import Answered, GuardedSession
from telemetry.providers.webhook import WebhookSettings, signed_headers

__all__ = ["MOST_SUBJECTS", "Access", "Erasure", "ErasureClient", "eraser_of", "leaves_of"]

# What every kind takes in one call.
MOST_SUBJECTS: Final = 500

_JSON: Final = {"Content-Type": "application/json"}

# Part of an address: nothing that could lead elsewhere.
Word = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class Erasure(NamedTuple):
    """Whom to erase, by the pseudonyms that the provider was given; ``id`` is the same whenever it is told."""

    id: UUID
    subjects: Sequence[str]


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What lets a provider's data be erased, where sending events there does not; never in a ``repr``."""

    settings: Any
    credential: str

    def __repr__(self) -> str:
        return "Access()"


class Call(NamedTuple):
    """Who is told, with what, of whom; ``access`` is there for kinds that have an ``access_type``."""

    connection: Connection
    access: Access | None
    erasure: Erasure

    def the_access(self) -> Access:
        """The access; raises ``ValueError`` without one."""
        if self.access is None:
            raise ValueError("this kind of provider needs an access")
        return self.access


class ErasureClient(Protocol):
    """Tells one kind of place to erase a person, now, and says how that went by what it raises."""

    # Settings of the access, and what its credential is called; ``None`` if what events are sent with is enough.
    access_type: ClassVar[type[Settings] | None]
    credential_label: ClassVar[str]
    # What of the person stays there all the same, for a person to see to; empty if nothing.
    leaves: ClassVar[str]

    def address_of(self, settings: Any) -> tuple[str, str]:
        """The name of the access's setting that says where to call, and that address."""

    def erase(self, call: Call, session: GuardedSession) -> None:
        """The other end knows. Raises ``Answered``, ``Unreachable`` or ``BlockedAddress``, as the session does."""


class PostHogAccess(Settings, frozen=True, kw_only=True):
    """``host`` is PostHog's own, not the one that takes events; the credential may read and write persons."""

    project_id: Word
    host: str = "https://us.posthog.com"


class PostHogEraser:
    """Deletes persons with their events and recordings.

    Source: https://posthog.com/docs/api/persons (bulk delete; PostHog takes up to 1,000 ids in a call).
    """

    access_type: ClassVar[type[Settings] | None] = PostHogAccess
    credential_label: ClassVar[str] = "Personal API key with the scope person:write"
    leaves: ClassVar[str] = ""

    def address_of(self, settings: PostHogAccess) -> tuple[str, str]:
        """The host, and the address of persons there."""
        return "host", f"{settings.host.rstrip('/')}/api/projects/{settings.project_id}/persons/"

    def erase(self, call: Call, session: GuardedSession) -> None:
        """PostHog has queued the deletion, or knows none of these persons."""
        access = call.the_access()
        _, persons = self.address_of(access.settings)
        headers = {"Authorization": f"Bearer {access.credential}"}
        body = {"distinct_ids": call.erasure.subjects, "delete_events": True, "delete_recordings": True}
        try:
            session.post(f"{persons}bulk_delete/", data=msgspec.json.encode(body), headers={**headers, **_JSON})
        except Answered as answered:
            # It answers so when it knows nobody of these ids, and when something else is wrong.
            if answered.status != 400 or self._knows_any(persons, call.erasure, headers, session):
                raise

    def _knows_any(self, persons: str, erasure: Erasure, headers: dict[str, str], session: GuardedSession) -> bool:
        for subject in erasure.subjects:
            answer = session.get(persons, params={"distinct_id": subject}, headers=headers)
            if answer.json().get("results"):
                return True
        return False


class SegmentAccess(Settings, frozen=True, kw_only=True):
    """``host`` is that of the Public API: https://eu1.api.segmentapis.com in Europe."""

    host: str = "https://api.segmentapis.com"


class SegmentEraser:
    """Makes a regulation that deletes these users, in Segment and where it passes deletions on, and suppresses them.

    An event without a user went there under the pseudonym of its session or device, as ``anonymousId``, by which
    regulations cannot name anybody: their subjects are of the type USER_ID, or OBJECT_ID for cloud objects.

    Source: https://docs.segmentapis.com/tag/Deletion-and-Suppression (up to 5,000 users in a call).
    """

    access_type: ClassVar[type[Settings] | None] = SegmentAccess
    credential_label: ClassVar[str] = "Public API token"
    leaves: ClassVar[str] = (
        "Segment deletes by user id alone. Events that were sent without a user are known there by their session or "
        "device, and no call deletes them: that has to be done by hand, there and where Segment passed them on to."
    )

    def address_of(self, settings: SegmentAccess) -> tuple[str, str]:
        """The host, and the address of regulations there."""
        return "host", f"{settings.host.rstrip('/')}/regulations"

    def erase(self, call: Call, session: GuardedSession) -> None:
        """Segment has the regulation."""
        access = call.the_access()
        _, address = self.address_of(access.settings)
        body = {
            "regulationType": "SUPPRESS_WITH_DELETE",
            "subjectType": "USER_ID",
            "subjectIds": call.erasure.subjects,
        }
        session.post(
            address,
            data=msgspec.json.encode(body),
            headers={
                "Authorization": f"Bearer {access.credential}",
                "Content-Type": "application/vnd.segment.v1+json",
            },
        )


class WebhookEraser:
    """Posts ``{"origin", "erasure": {"erasureId", "subjects", "requestedAt"}}``, signed as events are."""

    access_type: ClassVar[type[Settings] | None] = None
    credential_label: ClassVar[str] = ""
    leaves: ClassVar[str] = ""

    def address_of(self, settings: WebhookSettings) -> tuple[str, str]:
        """The address of events."""
        return "url", settings.url

    def erase(self, call: Call, session: GuardedSession) -> None:
        """The other end has the message."""
        message = {
            "erasureId": call.erasure.id,
            "subjects": call.erasure.subjects,
            "requestedAt": datetime.now(UTC),
        }
        body = msgspec.json.encode({"origin": call.connection.origin._asdict(), "erasure": message})
        _, address = self.address_of(call.connection.settings)
        headers = signed_headers(body, call.connection.credential, delivery=call.erasure.id)
        session.post(address, data=body, headers=headers)


class InternalAccess(Settings, frozen=True, kw_only=True):
    """``tenant`` is the slug at the other studio of whom the events go to."""

    tenant: Word


class InternalEraser:
    """Makes an erasure request at the other studio, which is confirmed there at once."""

    access_type: ClassVar[type[Settings] | None] = InternalAccess
    credential_label: ClassVar[str] = "Personal API key of a privacy officer at the other studio"
    leaves: ClassVar[str] = ""

    def address_of(self, settings: InternalSettings) -> tuple[str, str]:
        """The address of erasure requests."""
        return "url", f"{settings.url.rstrip('/')}/api/v1/erasure-requests"

    def erase(self, call: Call, session: GuardedSession) -> None:
        """The other studio has the request."""
        access = call.the_access()
        _, address = self.address_of(call.connection.settings)
        body = {
            "pseudonyms": call.erasure.subjects,
            "tenants": [access.settings.tenant],
            "reference": f"studio:{call.erasure.id}",
            "isConfirmed": True,
        }
        headers = {"Authorization": f"Bearer {access.credential}", **_JSON}
        session.post(address, data=msgspec.json.encode(body), headers=headers)


_ERASERS: Final[dict[ProviderKind, ErasureClient]] = {
    ProviderKind.POSTHOG: PostHogEraser(),
    ProviderKind.SEGMENT: SegmentEraser(),
    ProviderKind.WEBHOOK: WebhookEraser(),
    ProviderKind.INTERNAL: InternalEraser(),
}


def eraser_of(kind: str) -> ErasureClient | None:
    """How this kind is told; ``None`` for one that cannot be told."""
    return _ERASERS.get(ProviderKind(kind))


def leaves_of(kind: str) -> str:
    """What of a person stays at a provider of this kind that is told, in words; empty if nothing, or nobody is told."""
    client = eraser_of(kind)
    return "" if client is None else client.leaves
