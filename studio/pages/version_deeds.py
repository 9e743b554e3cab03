"""Pages of a frozen version: its file, and its end."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from studio.addresses import address_of
from studio.pages.downloads import as_file
from studio.pages.shell import confirm
from studio.people import actor_of
from telemetry.core.codec import spec_to_yaml
from telemetry.core.errors import NotAllowed
from telemetry.mappers import spec_of_version
from telemetry.models import SpecVersion
from telemetry.services.publishing import archive_version
from tenants.actors import Actor, require

__all__ = ["archive", "download_json", "download_yaml"]


def archive(request: HttpRequest, version_id: int) -> HttpResponse:
    """The version stays readable, and nobody can be bound to it any more."""
    actor, version = actor_of(request), _version(actor_of(request), version_id)
    require(actor, "spec.publish")

    def deed() -> str:
        archive_version(actor=actor, name=version.spec.name, version=version.version)
        return f"{version} is archived."

    return confirm(
        request,
        noun=SpecVersion,
        row=version,
        title=f"Archive {version}",
        text=f"{version} stays readable, and no app or tenant can be bound to it any more. This cannot be taken "
        "back.\n\nIt is refused while an app or a tenant obeys this version.",
        button="Archive it",
        back=address_of(version),
        deed=deed,
    )


def download_yaml(request: HttpRequest, version_id: int) -> HttpResponse:
    """The version as a YAML file for people."""
    version = _version(actor_of(request), version_id)
    return as_file(spec_to_yaml(spec_of_version(version)), _stem(version), "yaml")


def download_json(request: HttpRequest, version_id: int) -> HttpResponse:
    """The frozen document, byte for byte as it was hashed."""
    version = _version(actor_of(request), version_id)
    return as_file(version.document_bytes, _stem(version), "json")


def _stem(version: SpecVersion) -> str:
    return f"{version.spec.name}-{version.version}.telemetry"


def _version(actor: Actor, version_id: int) -> SpecVersion:
    if not actor.can_somewhere("view"):
        raise NotAllowed("your role does not include the ability view", ability="view")
    return get_object_or_404(SpecVersion.objects.select_related("spec"), pk=version_id)
