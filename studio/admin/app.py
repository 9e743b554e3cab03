"""Apps and their blueprints in the admin."""

from typing import Any, cast

import msgspec
from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from studio import markup
from studio.addresses import list_address
from studio.admin.base import EmptyState, StudioModelAdmin
from studio.admin.fields import (
    DocumentField,
    NumberField,
    RevisionField,
    SwitchField,
    TextField,
    WholeNumberField,
    WordField,
    without_blanks,
)
from studio.admin.refusals import ServiceForm
from studio.admin.site import site
from studio.head import Deed, Fact, Head
from studio.people import actor_of
from telemetry.core.codec import convert_document
from telemetry.core.config import AppBlueprint
from telemetry.core.enums import UndeclaredPolicy
from telemetry.models import SpecRecord
from telemetry.services.blueprints import create_app, save_blueprint
from tenants.mappers import blueprint_of
from tenants.models import App, Installation

__all__ = ["AppAdmin"]


class AppForm(ServiceForm):
    """An app with its blueprint."""

    places = {
        "slug": "slug",
        "name": "name",
        "description": "description",
        "spec.name": "spec_name",
        "spec.version": "spec_version",
        "spec": "spec_name",
        "enabled": "enabled",
        "defaultSamplingRate": "default_sampling_rate",
        "undeclaredProperties": "undeclared_properties",
        "events": "events",
    }

    slug = TextField(required=True, help_text="Its name in documents and addresses. It never changes.")
    name = TextField(required=True)
    description = TextField(lines=2)
    spec_name = forms.ChoiceField(
        label="Spec", required=False, widget=UnfoldAdminSelectWidget(), help_text="What the app's installations obey."
    )
    spec_version = WholeNumberField(
        label="Version", help_text="Empty: always the latest published version.", min_value=1
    )
    enabled = SwitchField(label="Telemetry", inherited="on (product default)")
    default_sampling_rate = NumberField(
        label="Default sampling rate", help_text="Share kept, 0 to 1. Empty: what the spec says."
    )
    undeclared_properties = WordField(UndeclaredPolicy, label="Undeclared properties", inherited="as the spec says")
    events = DocumentField(
        empty={},
        label="Events",
        help_text="What changes for single events, as YAML: "
        "<code>order_placed: {enabled: false, samplingRate: 0.5}</code>.",
    )
    expected_revision = RevisionField()

    class Meta:
        model = App
        fields = ["slug", "name", "description"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = SpecRecord.objects.order_by("name").values_list("name", flat=True)
        cast("forms.ChoiceField", self.fields["spec_name"]).choices = [
            ("", "no spec yet"),
            *((name, name) for name in names),
        ]
        if self.instance.pk is not None:
            for name in ("slug", "name", "description"):
                self.fields.pop(name, None)
        blueprint = blueprint_of(self.instance) if self.instance.pk else AppBlueprint()
        self.initial.update(_initial(blueprint), expected_revision=self.instance.config_revision)

    def blueprint(self) -> AppBlueprint:
        """What the form holds; raises ``InvalidDocument``."""
        data = self.cleaned_data
        document = {
            "spec": without_blanks({"name": data["spec_name"], "version": data["spec_version"]}),
            "enabled": data["enabled"],
            "defaultSamplingRate": data["default_sampling_rate"],
            "undeclaredProperties": data["undeclared_properties"],
            "events": data["events"],
        }
        return convert_document(without_blanks(document), AppBlueprint, what="blueprint")


def _initial(blueprint: AppBlueprint) -> dict[str, Any]:
    return {
        "spec_name": "" if blueprint.spec is None else blueprint.spec.name,
        "spec_version": None if blueprint.spec is None else blueprint.spec.version,
        "enabled": blueprint.enabled,
        "default_sampling_rate": blueprint.default_sampling_rate,
        "undeclared_properties": blueprint.undeclared_properties,
        "events": msgspec.to_builtins(blueprint.events),
    }


BLUEPRINT = (
    "Blueprint",
    {
        "fields": [
            ("spec_name", "spec_version"),
            "enabled",
            "default_sampling_rate",
            "undeclared_properties",
            "events",
            "expected_revision",
        ],
        "description": "Defaults of the app for all its tenants. A tenant may change them for itself.",
    },
)


@admin.register(App, site=site)
class AppAdmin(StudioModelAdmin):
    """Products that send telemetry, with the defaults that hold for every tenant."""

    address = "apps/"
    empty_state = EmptyState(
        "apps",
        "No app yet",
        "An app is a product that sends telemetry. Its blueprint names the spec that all its installations obey.",
    )
    add_ability = "app.manage"
    change_ability = "app.manage"
    form = AppForm
    list_display = ["name", "identifier", "spec", "installations", "created"]
    search_fields = ["name", "slug", "description"]
    search_help_text = "Name, slug or description"

    def get_queryset(self, request: HttpRequest) -> QuerySet[App]:
        """With the number of installations that the person may see."""
        return super().get_queryset(request).annotate(installation_count=Count("installations"))

    def get_fieldsets(self, request: HttpRequest, obj: App | None = None) -> Any:
        """The texts of a new app, then the blueprint."""
        texts = ["slug", "name", "description"] if obj is None else ["identifier", "description"]
        return [(None, {"fields": texts}), BLUEPRINT]

    def get_readonly_fields(self, request: HttpRequest, obj: App | None = None) -> list[str]:
        """The texts of an app stay as they are."""
        return [] if obj is None else ["identifier", "description"]

    @display(description="Slug", ordering="slug")
    def identifier(self, app: App) -> SafeString:
        """How documents name it."""
        return markup.code(app.slug)

    @display(description="Spec")
    def spec(self, app: App) -> SafeString:
        """What its installations obey."""
        pointer = blueprint_of(app).spec
        if pointer is None:
            return markup.chip("no spec", "amber")
        return markup.code(f"{pointer.name}@{pointer.version or 'latest'}")

    @display(description="Installations", ordering="installation_count")
    def installations(self, app: Any) -> SafeString:
        """How many, with the way there."""
        return markup.link(list_address(Installation, app__id=app.pk), str(app.installation_count))

    @display(description="Added", ordering="created_at")
    def created(self, app: App) -> SafeString:
        """When."""
        return markup.when(app.created_at)

    def head_of(self, request: HttpRequest, row: App) -> Head:
        """What it obeys, and the way to its installations."""
        return Head(
            facts=(Fact("Spec", self.spec(row)), Fact("Added", markup.when(row.created_at))),
            deeds=(Deed("Installations", list_address(Installation, app__id=row.pk), "deployed_code"),),
        )

    def save_row(self, request: HttpRequest, row: Any, form: Any, formsets: Any, change: bool) -> App:
        """A new app, or its new blueprint."""
        actor, data = actor_of(request), form.cleaned_data
        if change:
            expected = data["expected_revision"]
            return save_blueprint(actor=actor, app=row, blueprint=form.blueprint(), expected_revision=expected)
        return create_app(
            actor=actor,
            slug=data["slug"],
            name=data["name"],
            description=data["description"],
            blueprint=form.blueprint(),
        )
