"""Frozen versions of specs in the admin."""

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from studio import markup
from studio.addresses import address_of, page_address
from studio.admin.base import EmptyState, StudioModelAdmin
from studio.admin.site import site
from studio.admin.version_columns import VersionColumns
from studio.head import Deed, Fact, Head
from studio.pages import version_deeds
from studio.people import actor_of
from telemetry.models import SpecVersion, VersionStatus

__all__ = ["SpecVersionAdmin"]


@admin.register(SpecVersion, site=site)
class SpecVersionAdmin(VersionColumns, StudioModelAdmin):
    """What was published, exactly as it was checked: read only, here and in the database."""

    address = "versions/"
    empty_state = EmptyState(
        "history",
        "Nothing is published yet",
        "Publishing a spec freezes its draft as a version. Apps obey published versions only.",
        "See the specs",
        "admin:telemetry_specrecord_changelist",
    )
    list_display = ["title", "state", "summary", "published", "lineage"]
    list_filter = [("spec", RelatedDropdownFilter), ("status", ChoicesDropdownFilter)]
    list_filter_submit = True
    search_fields = ["spec__name", "spec__title", "change_summary", "checksum"]
    search_help_text = "Spec, summary or checksum"
    ordering = ["-published_at", "-id"]
    fields = ["spec_link", "summary", "published", "lineage", "checksum_code", "canonical"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[SpecVersion]:
        """With the spec and the version before; its document is not loaded."""
        return super().get_queryset(request).select_related("spec", "based_on").defer("based_on__document")

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The list, which loads no documents at all."""
        changes = super().get_changelist_instance(request)
        changes.result_list = changes.result_list.defer("document", "based_on__document")
        return changes

    @display(description="Spec")
    def spec_link(self, version: SpecVersion) -> SafeString:
        """The spec that it belongs to."""
        return markup.link(address_of(version.spec), version.spec.name)

    @display(description="Checksum")
    def checksum_code(self, version: SpecVersion) -> SafeString:
        """SHA-256 of the canonical document."""
        return markup.code(version.checksum)

    @display(description="Document")
    def canonical(self, version: SpecVersion) -> SafeString:
        """The frozen document."""
        return markup.document(version.document)

    def head_of(self, request: HttpRequest, row: SpecVersion) -> Head:
        """Where it is in its life, and what can be done."""
        deeds = [
            Deed("YAML", page_address(row, "yaml"), "download"),
            Deed("JSON", page_address(row, "json"), "download"),
        ]
        if row.status != VersionStatus.ARCHIVED and actor_of(request).can("spec.publish"):
            deeds.append(Deed("Archive", page_address(row, "archive"), "archive", "danger"))
        return Head((self.state(row),), (Fact("Published", self.published(row)),), tuple(deeds))

    def get_urls(self) -> list[URLPattern]:
        """With the pages of what can be done."""
        wrap = self.admin_site.admin_view
        pages = {
            "archive": version_deeds.archive,
            "yaml": version_deeds.download_yaml,
            "json": version_deeds.download_json,
        }
        return [
            *(
                path(f"<int:version_id>/{page}/", wrap(view), name=f"telemetry_specversion_{page}")
                for page, view in pages.items()
            ),
            *super().get_urls(),
        ]
