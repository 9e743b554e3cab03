"""Tracking plans of RudderStack: answers of its API as JSON or YAML, and the YAML files of its command line."""

from telemetry.formats.rudderstack.reading import NAME, is_rudderstack_plan, read_rudderstack_plans
from telemetry.formats.rudderstack.writing import write_rudderstack_plan

__all__ = ["NAME", "is_rudderstack_plan", "read_rudderstack_plans", "write_rudderstack_plan"]
