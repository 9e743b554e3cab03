"""Tracking plans of Segment, in the shapes of both of its APIs."""

from telemetry.formats.segment.reading import NAME, is_segment_plan, read_segment_plans
from telemetry.formats.segment.writing import write_segment_plan

__all__ = ["NAME", "is_segment_plan", "read_segment_plans", "write_segment_plan"]
