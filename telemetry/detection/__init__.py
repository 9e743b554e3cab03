"""Recognising personal data and secrets in what events carry; pure, and not part of what an app installs."""

from telemetry.detection.detector import SUGGESTIONS, Detector, Suggestion
from telemetry.detection.inspector import Evidence, Inspector, Look, is_safe_name
from telemetry.detection.outline import outline
from telemetry.detection.values import detect, detect_text

__all__ = [
    "SUGGESTIONS",
    "Detector",
    "Evidence",
    "Inspector",
    "Look",
    "Suggestion",
    "detect",
    "detect_text",
    "is_safe_name",
    "outline",
]
