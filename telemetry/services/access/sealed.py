"""Parts of exports at rest: sealed for their tenant and their export."""

from functools import lru_cache

from django.conf import settings

from telemetry.models import AccessExport
from tenants.sealing import BrokenSeal, Sealer

__all__ = ["is_set_up", "open_part", "seal_part"]

_PURPOSE = "access export"


def is_set_up() -> bool:
    """Whether there is a secret under which exports can be kept."""
    return bool(settings.STUDIO_CREDENTIAL_KEYS)


def seal_part(export: AccessExport, content: bytes) -> bytes:
    """The content, readable by this studio alone."""
    return _sealer().seal(export.tenant_id, export.public_id.bytes + content)


def open_part(export: AccessExport, sealed: bytes) -> bytes:
    """The content; raises ``BrokenSeal`` when its secret is gone, or it is another export's."""
    content = _sealer().open(export.tenant_id, sealed)
    if content[:16] != export.public_id.bytes:
        raise BrokenSeal("the content is another export's")
    return content[16:]


def _sealer() -> Sealer:
    return _sealer_of(tuple(settings.STUDIO_CREDENTIAL_KEYS))


@lru_cache(maxsize=4)
def _sealer_of(secrets: tuple[str, ...]) -> Sealer:
    return Sealer(secrets, purpose=_PURPOSE)
