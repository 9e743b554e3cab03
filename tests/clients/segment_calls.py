"""Sends calls with Segment's official client for Python: a JSON description on standard input, one line of JSON out.

In a process of its own, as in an app: the studio's provider for Segment has taken over the connections of the package
in every process that has loaded it.
"""

import json
import sys
from datetime import datetime

from segment.analytics import Client

description = json.load(sys.stdin)
errors: list[str] = []
client = Client(
    description["key"],
    host=description["host"],
    gzip=description.get("gzip", False),
    on_error=lambda error, _: errors.append(str(error)),
)
for call in description["calls"]:
    if "timestamp" in call:
        call["timestamp"] = datetime.fromisoformat(call["timestamp"])
    getattr(client, call.pop("call"))(**call)
client.shutdown()
sys.stdout.write(json.dumps({"errors": errors}) + "\n")
