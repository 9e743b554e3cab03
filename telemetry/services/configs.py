"""The effective config of an installation: resolved, and as the document that apps fetch.

All calls happen in a tenant context that shows the installation; else ``NotFound``.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from telemetry.core.codec import encode_document
from telemetry.core.config import (
    AppBlueprint,
    EffectiveConfig,
    FloorException,
    PrivacyFloor,
    SpecPointer,
    TenantOverride,
)
from telemetry.core.config_documents import ConfigDocuments, LayerDocuments
from telemetry.core.errors import Conflict, UnknownSpec
from telemetry.core.floors import combine_floors
from telemetry.core.plain import to_plain
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import TelemetrySpec
from telemetry.mappers import spec_from_document
from telemetry.selectors.configs import ConfigLayers, config_layers
from telemetry.selectors.past_configs import past_config_layers
from telemetry.selectors.specs import version_of
from telemetry.services.config_cache import BoundedCache
from telemetry.services.config_parts import FORMAT, prepared_parts
from tenants.models import Installation, Tenant
from tenants.pseudonym_key import installation_pseudonym_key

__all__ = [
    "ConfigDocument",
    "config_document",
    "config_etag",
    "document_behind",
    "effective_config",
    "exceptions_behind",
    "floor_behind",
    "layers_at",
    "preview_config",
    "preview_layers",
    "resolve_layers",
    "secret_fields",
    "spec_behind",
]

# Documents are 2 KB for a small spec and about 1 MB for the largest; 64 MiB hold those of a busy process.
CACHE_BYTES: Final = 64 * 1024 * 1024


class ConfigDocument:
    """What an app gets: ``body`` is JSON in UTF-8, ``etag`` a weak entity tag, ``revision`` that of the body."""

    __slots__ = ("__weakref__", "_packed", "body", "etag", "revision")

    def __init__(self, body: bytes, etag: str, revision: int) -> None:
        self.body, self.etag, self.revision = body, etag, revision
        self._packed: dict[Callable[[bytes], bytes], bytes] = {}

    def __repr__(self) -> str:
        return f"ConfigDocument(etag={self.etag!r}, revision={self.revision})"

    def packed(self, pack: Callable[[bytes], bytes]) -> bytes:
        """The body as ``pack`` makes it; made once, when it is first asked for."""
        found = self._packed.get(pack)
        return self._packed.setdefault(pack, pack(self.body)) if found is None else found


def _weight(document: ConfigDocument) -> int:
    # Compressed forms are added later; each is a tenth of the body, and a fifth at most.
    return len(document.body) * 3 // 2


_cache: BoundedCache[ConfigDocument] = BoundedCache(CACHE_BYTES, _weight)
# The parts that many of these documents share.
_documents = ConfigDocuments(CACHE_BYTES)


def effective_config(installation: Installation, *, at: datetime | None = None) -> EffectiveConfig:
    """What holds at the installation now, with the provenance of every leaf; one query.

    With ``at``, an aware instant: what this function answered then, or will answer if nobody changes anything. Raises
    ``Conflict`` while no spec is bound, or none is published that the pointer names; before the installation was there.
    """
    return resolve_layers(layers_at(installation, at))


def layers_at(installation: Installation, at: datetime | None) -> ConfigLayers:
    """The layers of the installation's config now, or at the instant; one query. ``Conflict`` before it was there."""
    return config_layers(installation.pk) if at is None else past_config_layers(installation.pk, at)


def preview_config(installation: Installation, override: TenantOverride) -> EffectiveConfig:
    """What would hold at the installation if ``override`` were live; nothing is stored. Queries: ``preview_layers``.

    Errors as for ``effective_config``; what the override may not ask for has no effect, see ``provenance``.
    """
    return resolve_layers(preview_layers(installation, override))


def preview_layers(installation: Installation, override: TenantOverride) -> ConfigLayers:
    """The layers as they would be if ``override`` were live now. One query, and those of ``layers_under``."""
    return layers_under(config_layers(installation.pk), override)


def layers_under(layers: ConfigLayers, override: TenantOverride) -> ConfigLayers:
    """The layers as they would be if ``override`` were live; one query if it binds another spec, else none."""
    pointer = override.spec or msgspec.json.decode(layers.blueprint, type=AppBlueprint).spec
    under = layers._replace(override=encode_document(override).decode())
    if pointer is None:
        return under._replace(spec_name=None, spec_version=None, spec_document=None)
    if (pointer.name, pointer.version) == (layers.spec_name, layers.spec_version):
        return under
    document = _published_document(pointer)
    return under._replace(spec_name=pointer.name, spec_version=pointer.version, spec_document=document)


def config_etag(public_id: UUID, revision: int, *, explain: bool = False, with_secret: bool = False) -> str:
    """The weak entity tag of an installation's config of this revision, plain or explained; nothing is hashed."""
    variant = f"{'e' if explain else ''}{'s' if with_secret else ''}" or "p"
    return f'W/"{FORMAT}-{public_id.hex}-{revision}-{variant}"'


def config_document(installation: Installation, revision: int, *, with_secret: bool = False) -> ConfigDocument:
    """The effective config as the installation's apps fetch it.

    ``revision`` comes from ``selectors.configs.config_revision``, read just before. A document of that revision is
    answered from memory, without a query; otherwise all layers are read in one query, prepared parts in another if the
    process knows none, and the answer carries the revision of that moment, which may be a later one. ``with_secret``,
    for keys with the scope ``config:secret``, adds the tenant's pseudonym key. Errors as for ``effective_config``.
    """
    document = _cache.get(_key(installation, revision, with_secret))
    if document is None:
        layers = config_layers(installation.pk)
        tag = config_etag(installation.public_id, layers.revision, with_secret=with_secret)
        document = ConfigDocument(_encode(layers, with_secret=with_secret), tag, layers.revision)
        _cache.put(_key(installation, layers.revision, with_secret), document)
    return document


def spec_behind(layers: ConfigLayers) -> TelemetrySpec:
    """The published spec that the layers are bound to; raises ``Conflict``, which says what is missing."""
    return spec_from_document(document_behind(layers))


def document_behind(layers: ConfigLayers) -> str:
    """The document of that spec; errors as for ``spec_behind``."""
    if layers.spec_name is None:
        raise Conflict("no spec is bound: point the app's blueprint or the tenant's override at one")
    if layers.spec_document is None:
        version = "" if layers.spec_version is None else f" in version {layers.spec_version}"
        raise Conflict(f"the bound spec {layers.spec_name}{version} is not published")
    return layers.spec_document


def floor_behind(layers: ConfigLayers) -> PrivacyFloor:
    """What the floors of organisation and app demand together."""
    return combine_floors(*(msgspec.json.decode(floor, type=PrivacyFloor) for floor in layers.floors))


def exceptions_behind(layers: ConfigLayers) -> tuple[FloorException, ...]:
    """What is free from those floors for now."""
    return tuple(msgspec.json.decode(exception, type=FloorException) for exception in layers.exceptions)


def _published_document(pointer: SpecPointer) -> str | None:
    try:
        return version_of(pointer.name, pointer.version).document
    except UnknownSpec:
        return None


def resolve_layers(layers: ConfigLayers, *, event_names: Collection[str] | None = None) -> EffectiveConfig:
    """What the layers make; with ``event_names``, the events of these names alone. Errors as ``effective_config``."""
    override = None if layers.override is None else msgspec.json.decode(layers.override, type=TenantOverride)
    return resolve_config(
        spec_behind(layers),
        msgspec.json.decode(layers.blueprint, type=AppBlueprint),
        override,
        floor_behind(layers),
        exceptions_behind(layers),
        installation=layers.identity,
        revision=layers.revision,
        event_names=event_names,
    )


def secret_fields(layers: ConfigLayers) -> dict[str, object]:
    """What a document has besides, for keys that may have the tenant's pseudonym key."""
    # Not the tenant that came with the installation: it was read earlier, and may hold the key of before.
    tenant = Tenant(pseudonym_salt=layers.pseudonym_salt, pseudonym_epoch=layers.pseudonym_epoch)
    return {"pseudonymKey": to_plain(installation_pseudonym_key(tenant))}


def _encode(layers: ConfigLayers, *, with_secret: bool) -> bytes:
    more = secret_fields(layers) if with_secret else {}
    documents = LayerDocuments(
        spec=document_behind(layers),
        blueprint=layers.blueprint,
        override=layers.override,
        floors=layers.floors,
        exceptions=layers.exceptions,
    )
    return _documents.make(
        documents, installation=layers.identity, revision=layers.revision, more=more, prepared=prepared_parts
    )


def _key(installation: Installation, revision: int, with_secret: bool) -> tuple[object, ...]:
    # The public id, not the row's: a restored or emptied database gives row ids out again.
    return FORMAT, installation.public_id, revision, with_secret
