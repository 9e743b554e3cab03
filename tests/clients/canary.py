"""A personal address in every field that a client can fill, in each client's own way."""

import base64
import gzip
import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlsplit

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from posthog import Posthog

from tests.clients.node import run, run_python

__all__ = ["ADDRESS", "TOKEN", "send_by_hand", "send_with_node", "send_with_python", "values"]

TOKEN = "kanarienvogel7f3a"
ADDRESS = f"{TOKEN}@example.com"
# An event that the spec has, and one that nobody has.
EVENTS = ("Order Completed", f"Order of {ADDRESS}")


def values() -> dict[str, Any]:
    """Properties, traits or attributes: declared, undeclared, nested, and as keys."""
    nested = {"deep": [ADDRESS, {"deeper": {ADDRESS: ADDRESS}}]}
    return {
        "orderId": ADDRESS,
        "email": ADDRESS,
        "items": nested,
        "name": ADDRESS,
        "stray": ADDRESS,
        "strayNested": nested,
        ADDRESS: ADDRESS,
        "$set": {"email": ADDRESS},
        "$current_url": f"https://shop.example/?email={quote(ADDRESS)}",
        "$session_id": ADDRESS,
        "$device_id": ADDRESS,
        "$app_version": ADDRESS,
        "$groups": {ADDRESS: ADDRESS},
    }


def send_with_python(address: str, key: str) -> list[str]:
    """Everything that the three clients for Python can say; what that for Segment says of it."""
    for mode in ("v0", "v1"):
        _posthog_for_python(address, key, mode)
    _opentelemetry_for_python(address, key)
    return [json.dumps(_segment_for_python(address, key))]


def _posthog_for_python(address: str, key: str, mode: str) -> None:
    client = Posthog(key, host=f"{address}/ingest/posthog", capture_mode=mode, super_properties={"super": ADDRESS})
    for event in EVENTS:
        client.capture(event, distinct_id=ADDRESS, properties=values(), groups={"company": ADDRESS})
    client.set(distinct_id=ADDRESS, properties=values())
    client.group_identify("company", ADDRESS, properties=values(), distinct_id=ADDRESS)
    client.alias(ADDRESS, ADDRESS)
    client.get_all_flags(ADDRESS, person_properties={"email": ADDRESS})
    client.capture_exception(ValueError(ADDRESS), distinct_id=ADDRESS)
    client.shutdown()


def _segment_for_python(address: str, key: str) -> Any:
    context: dict[str, Any] = {
        "app": {"version": ADDRESS, "name": ADDRESS},
        "groupId": ADDRESS,
        "ip": ADDRESS,
        "locale": ADDRESS,
        "page": {"url": ADDRESS},
        "sessionId": ADDRESS,
        "traits": {"email": ADDRESS},
        "userAgent": ADDRESS,
        ADDRESS: ADDRESS,
    }
    common = {"user_id": ADDRESS, "context": context}
    who: dict[str, Any] = {**common, "anonymous_id": ADDRESS, "integrations": {ADDRESS: ADDRESS}}
    named = {"category": ADDRESS, "name": ADDRESS, "properties": values()}
    calls: list[dict[str, Any]] = [
        {"call": "track", "event": event, "properties": values(), "message_id": f"{ADDRESS} of Python {event}", **who}
        for event in EVENTS
    ]
    calls += [
        {"call": "page", **named, **who},
        {"call": "screen", **named, **who},
        {"call": "identify", "traits": values(), **who},
        {"call": "group", "group_id": ADDRESS, "traits": values(), **who},
        {"call": "alias", "previous_id": ADDRESS, **common},
    ]
    return run_python("segment_calls.py", {"host": f"{address}/ingest/segment", "key": key, "calls": calls})


def _opentelemetry_for_python(address: str, key: str) -> None:
    exporter = OTLPLogExporter(f"{address}/ingest/otlp/v1/logs", headers={"Authorization": f"Bearer {key}"})
    resource = Resource({"service.name": ADDRESS, "service.version": ADDRESS, ADDRESS: ADDRESS})
    provider = LoggerProvider(resource, shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = provider.get_logger(ADDRESS, ADDRESS, attributes={ADDRESS: ADDRESS})
    who = dict.fromkeys(("user.id", "session.id", "device.id", "log.record.uid", "enduser.id"), ADDRESS)
    for event in EVENTS:
        for body in (ADDRESS, {ADDRESS: ADDRESS, "orderId": ADDRESS}):
            logger.emit(
                LogRecord(
                    event_name=event,
                    body=body,
                    severity_text=ADDRESS,
                    severity_number=SeverityNumber.INFO,
                    attributes=values() | who,
                )
            )
    logger.emit(LogRecord(body=ADDRESS, attributes=values()))
    provider.shutdown()


def send_with_node(address: str, key: str) -> list[str]:
    """Everything that the three clients for Node can say; what they say of it."""
    said = []
    for mode in ("v0", "v1"):
        calls: list[dict[str, Any]] = [
            {"call": "capture", "distinctId": ADDRESS, "event": event, "properties": values(), "groups": {"a": ADDRESS}}
            for event in EVENTS
        ]
        calls += [
            {"call": "identify", "distinctId": ADDRESS, "properties": values()},
            {"call": "groupIdentify", "groupType": "company", "groupKey": ADDRESS, "properties": values()},
            {"call": "alias", "distinctId": ADDRESS, "alias": ADDRESS},
        ]
        posthog = {"host": f"{address}/ingest/posthog", "key": key, "calls": calls}
        said.append(run("posthog.mjs", posthog, POSTHOG_CAPTURE_MODE=mode))
    said.append(run("segment.mjs", {"host": address, "key": key, "calls": list(_segment_calls())}))
    for encoding in ("json", "protobuf"):
        record = {"body": {ADDRESS: ADDRESS}, "severityText": ADDRESS, "attributes": values() | {"user.id": ADDRESS}}
        description: dict[str, Any] = {
            "host": f"{address}/ingest/otlp",
            "key": key,
            "encoding": encoding,
            "resource": {"service.name": ADDRESS, ADDRESS: ADDRESS},
            "scope": ADDRESS,
            "records": [{**record, "eventName": event} for event in EVENTS] + [record],
        }
        said.append(run("otlp.mjs", description))
    return [json.dumps(each) for each in said]


def _segment_calls() -> Iterator[dict[str, Any]]:
    common = {"userId": ADDRESS, "anonymousId": ADDRESS, "context": {"ip": ADDRESS, "app": {"version": ADDRESS}}}
    for event in EVENTS:
        yield {"call": "track", "event": event, "properties": values(), "messageId": f"{ADDRESS} {event}", **common}
    yield {"call": "page", "name": ADDRESS, "category": ADDRESS, "properties": values(), **common}
    yield {"call": "identify", "traits": values(), **common}
    yield {"call": "group", "groupId": ADDRESS, "traits": values(), **common}
    yield {"call": "alias", "userId": ADDRESS, "previousId": ADDRESS}


def send_by_hand(address: str, key: str) -> list[str]:
    """What the clients would not let an app say: odd ids, times, headers, kinds, and bodies that are broken.

    Returns the answers, heads and all.
    """
    event = {
        "event": "Order Completed",
        "uuid": ADDRESS,
        "distinct_id": ADDRESS,
        "timestamp": ADDRESS,
        "offset": ADDRESS,
        "properties": values(),
        "$set": {ADDRESS: ADDRESS},
        "options": {ADDRESS: ADDRESS},
        ADDRESS: ADDRESS,
    }
    call = {"type": ADDRESS, "event": ADDRESS, "messageId": ADDRESS, "timestamp": ADDRESS, "properties": ADDRESS}
    batch = {"api_key": key, "batch": [event, {**event, "timestamp": None}, ADDRESS, [ADDRESS]], "sent_at": ADDRESS}
    calls = {"batch": [call, ADDRESS], "sentAt": ADDRESS, "context": values()}
    record = {
        "eventName": ADDRESS,
        "timeUnixNano": "1795348800000000000",
        "traceId": base64.b64encode(ADDRESS.encode()).decode(),
        "attributes": [{"key": ADDRESS, "value": {"bytesValue": base64.b64encode(ADDRESS.encode()).decode()}}],
    }
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}], "schemaUrl": ADDRESS}]}
    basic = base64.b64encode(f"{key}:{ADDRESS}".encode()).decode()
    bearer = f"Bearer {key}"
    query = quote(ADDRESS)
    sending = [
        (f"/ingest/posthog/batch/?ip={query}&compression=&sent_at={query}", batch, ""),
        (f"/ingest/posthog/e/?compression={query}", batch, ""),
        ("/ingest/posthog/i/v1/analytics/events", {"batch": [event, ADDRESS]}, bearer),
        ("/ingest/posthog/batch/", {"api_key": ADDRESS, "batch": [event]}, ""),
        ("/ingest/segment/v1/batch", calls, f"Basic {basic}"),
        ("/ingest/segment/v1/track", {"event": ADDRESS, "userId": ADDRESS, "writeKey": key}, ""),
        ("/ingest/segment/v1/batch", {"batch": [call]}, f"Basic {base64.b64encode(ADDRESS.encode()).decode()}"),
        ("/ingest/otlp/v1/logs", logs, bearer),
        ("/ingest/otlp/v1/logs", {"resourceLogs": ADDRESS}, bearer),
        ("/ingest/otlp/v1/logs", logs, f"Bearer {ADDRESS}"),
    ]
    answers = [_post(address, path, json.dumps(body).encode(), authorization) for path, body, authorization in sending]
    for path in ("/ingest/posthog/batch/", "/ingest/segment/v1/batch", "/ingest/otlp/v1/logs"):
        answers += [
            _post(address, path, content, bearer) for content in (ADDRESS.encode(), b'{"batch": [' + ADDRESS.encode())
        ]
    answers.append(_post(address, "/ingest/posthog/e/", b"data=" + ADDRESS.encode(), ""))
    answers.append(_post(address, "/ingest/posthog/e/", gzip.compress(ADDRESS.encode(), mtime=0), ""))
    return answers


def _post(address: str, path: str, content: bytes, authorization: str) -> str:
    connection = HTTPConnection(urlsplit(address).netloc, timeout=60)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": ADDRESS,
        "Referer": f"https://shop.example/{ADDRESS}",
        "Origin": f"https://{ADDRESS}",
        "X-Request-ID": ADDRESS,
        "PostHog-Sdk-Info": ADDRESS,
        "PostHog-Request-Timestamp": ADDRESS,
        "Cookie": f"session={ADDRESS}",
        "Authorization": authorization,
    }
    try:
        connection.request("POST", path, content, {name: value for name, value in headers.items() if value})
        answer = connection.getresponse()
        return f"{answer.status}\n{answer.getheaders()}\n{answer.read().decode('utf-8', 'replace')}"
    finally:
        connection.close()
