"""Files of other projects that lie beside the checkout, and the samples, by name."""

from pathlib import Path

from telemetry.formats.sources import SourceFile
from tests.formats.samples import SAMPLES

__all__ = ["DATA", "REAL", "files_of"]

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
# Of each format, the real files that lie beside the checkout; folders belong together.
REAL = {
    name: format_
    for name, format_ in {
        "segment/plan.json": "segment",
        "rudderstack/plan.json": "rudderstack",
        "glean/nimbus.metrics.yaml": "glean",
        "glean/sync_manager.metrics.yaml": "glean",
        "otel": "otel",
        "otel/browser-registry.yaml": "otel",
        "otel/session-events.yaml": "otel",
        "iglu": "iglu",
        "iglu/com.mandrill": "iglu",
    }.items()
    if (DATA / name).exists()
}


def files_of(name: str) -> tuple[str, list[SourceFile]]:
    """The format and the files of a sample, or of real data."""
    if name in SAMPLES:
        return SAMPLES[name]
    place = DATA / name
    paths = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]
    root = place if place.is_dir() else place.parent
    return REAL[name], [SourceFile(path.relative_to(root).as_posix(), path.read_bytes()) for path in paths]
