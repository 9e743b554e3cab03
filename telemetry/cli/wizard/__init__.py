"""``studio create telemetry``: a spec from questions, asked one by one or answered by flags."""

from telemetry.cli.wizard.command import create_telemetry

__all__ = ["create_telemetry"]
