"""A notification as what is sent: a subject, a text, and the same as data."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.conf import settings

from telemetry.models import INCIDENT_KINDS, AlertChannel, Notification, NotificationKind
from telemetry.services.alerts.wording import EXAMPLE, Message, one_line, write

__all__ = ["HANDLE", "Composed", "compose", "incident_address"]

# Where on an incident's page it is acknowledged and muted.
HANDLE: Final = "#handle"


class Composed(NamedTuple):
    """``link`` is the page that it is about, empty if there is none; ``data`` goes out as JSON."""

    message: Message
    link: str
    data: Mapping[str, Any]


def compose(channel: AlertChannel, row: Notification, *, at: datetime) -> Composed:
    """What the channel is sent for the notification: the same each time, but for ``at``, the instant of sending."""
    message, link, facts = _said(channel, row)
    data = {
        "deliveryId": str(row.public_id),
        "kind": f"incident.{row.kind}" if row.kind in INCIDENT_KINDS else row.kind,
        "sentAt": at.isoformat(),
        "createdAt": row.created_at.isoformat(),
        "subject": message.subject,
        "text": message.text,
        **facts,
    }
    return Composed(message, link, data)


def incident_address(incident_id: int) -> str:
    """The incident's page; without ``STUDIO_PUBLIC_URL`` the path alone."""
    return f"{settings.STUDIO_PUBLIC_URL}/studio/incidents/{incident_id}/"


def _said(channel: AlertChannel, row: Notification) -> tuple[Message, str, dict[str, Any]]:
    if row.kind in INCIDENT_KINDS and row.incident_id is not None:
        link = incident_address(row.incident_id)
        words = {**row.facts, "link": link + HANDLE}
        return write(channel.subject, channel.body, words), link, {"incident": _incident(row, link)}
    if row.kind == NotificationKind.TEST:
        written = write(channel.subject, channel.body, EXAMPLE)
        text = f"This is a test of the channel {one_line(channel.name)}. An alert looks like this:\n\n{written.text}"
        return Message(f"[test] {written.subject}"[:200], text), "", {}
    if row.kind == NotificationKind.DIGEST:
        return _summary(row.facts), f"{settings.STUDIO_PUBLIC_URL}/studio/incidents/", {"summary": _shown(row.facts)}
    return _of_evaluation(row), f"{settings.STUDIO_PUBLIC_URL}/studio/incidents/", {"evaluation": row.facts}


def _incident(row: Notification, link: str) -> dict[str, Any]:
    """The incident as data. Its names are those of the studio's own API."""
    facts = row.facts
    return {
        "id": row.incident_id,
        "state": facts["state"],
        "tenant": facts["tenant"],
        "app": facts["app"],
        "environment": facts["environment"],
        "installation": facts["installation"],
        "event": facts["event"],
        "eventVersion": int(facts["version"]),
        "rule": facts["rule"],
        "ruleWords": facts["what"],
        "reading": facts["reading"],
        "side": facts["side"],
        "minutes": int(facts["minutes"]),
        "began": facts["began"],
        "link": link,
    }


def _summary(facts: Mapping[str, Any]) -> Message:
    opened, resolved = (sum(each[name] for each in facts["places"]) for name in ("opened", "resolved"))
    subject = f"[summary] {opened} opened, {resolved} resolved since {facts['since']}"
    return Message(one_line(subject)[:200], "\n".join(_lines(facts)) + "\n")


def _lines(facts: Mapping[str, Any]) -> Iterator[str]:
    if facts["is_storm"]:
        yield "More happened than this channel is told of one by one, so here is the rest of it."
    yield f"Since {facts['since']}:"
    for each in facts["places"]:
        counts = ", ".join(
            f"{each[name]} {name.replace('_', ' ')}"
            for name in ("opened", "acknowledged", "resolved", "still_open")
            if each[name] or name in ("opened", "still_open")
        )
        yield one_line(f"{each['place']}: {counts}")
    yield ""
    for each in facts["incidents"]:
        yield one_line(f"{each['state']}: {each['event']} at {each['place']}: {each['what']}")
        yield f"  {incident_address(each['incident'])}"
    if facts["more"]:
        yield f"and {facts['more']} more incidents"
    if facts["withheld"]:
        yield f"{facts['withheld']} messages were withheld as repetitions or because of a mute."


def _shown(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "since": facts["since"],
        "isStorm": facts["is_storm"],
        "places": [
            {"place": each["place"], "opened": each["opened"], "acknowledged": each["acknowledged"]}
            | {"resolved": each["resolved"], "stillOpen": each["still_open"]}
            for each in facts["places"]
        ],
        "incidents": [{**each, "link": incident_address(each["incident"])} for each in facts["incidents"]],
        "more": facts["more"],
        "withheld": facts["withheld"],
    }


def _of_evaluation(row: Notification) -> Message:
    count, since = row.facts["installations"], row.facts["since"]
    where = f"{count} installation" + ("" if count == 1 else "s")
    if row.kind == NotificationKind.LATE:
        text = (
            f"Anomaly rules of {where} have not been judged since {since}. Until they are, no incident "
            "opens there. Whoever operates the studio should look at worker and beat.\n"
        )
        return Message(f"[late] anomalies are not judged since {since}", text)
    return Message("[on time] anomalies are judged again", f"Anomaly rules of {where} are judged again.\n")
