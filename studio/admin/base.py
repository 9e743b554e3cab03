"""What the admin of every noun shares: abilities instead of Django's permissions, services instead of ``save()``."""

from typing import Any, ClassVar, NamedTuple

from django.contrib import admin, messages
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin
from unfold.forms import AdminForm

from studio.addresses import address_of
from studio.admin.filters import is_offered
from studio.admin.navigation import entry_of
from studio.admin.refusals import ServiceForm, refusal_of, show_refusal
from studio.head import Head
from studio.people import actor_of
from telemetry.core.errors import NotAllowed, NotFound, TelemetryError

__all__ = ["EmptyState", "StudioModelAdmin"]


class EmptyState(NamedTuple):
    """What an empty list says: what the page is for, and where to go next for those who may not add."""

    icon: str
    title: str
    text: str
    action: str = ""
    view: str = ""


class StudioModelAdmin(ModelAdmin):
    """Base of every noun's admin.

    ``change_ability`` and ``add_ability`` unset mean that nobody changes or adds rows here. ``in_tenant`` says that
    rows belong to tenants, so that abilities are asked there. ``adds_in_series`` offers another empty form after adding
    one. ``import_view`` names the page where whoever may add rows brings one in as a document. Rows are never deleted
    by Django itself.
    """

    address: ClassVar[str]
    empty_state: ClassVar[EmptyState]
    view_ability: ClassVar[str] = "view"
    add_ability: ClassVar[str | None] = None
    change_ability: ClassVar[str | None] = None
    in_tenant: ClassVar[bool] = False
    adds_in_series: ClassVar[bool] = False
    import_view: ClassVar[str] = ""
    linked_lookups: ClassVar[frozenset[str]] = frozenset()

    form = ServiceForm
    actions = None
    change_form_outer_before_template = "studio/components/head.html"
    list_per_page = 50
    # Past this the list has pages, and "show all" would be a page that never ends.
    list_max_show_all = 200
    # A count beside each choice of each filter would be a query each.
    show_facets = admin.ShowFacets.NEVER
    warn_unsaved_form = True

    # Abilities

    def tenant_id_of(self, row: Model) -> int | None:
        """The tenant in which abilities are asked for this row."""
        return getattr(row, "tenant_id", None) if self.in_tenant else None

    def has_ability(self, request: HttpRequest, ability: str | None, row: Model | None) -> bool:
        """Whether the person has the ability for this row; without a row: anywhere that rows of this noun can be."""
        actor = actor_of(request)
        if ability is None:
            return False
        if row is not None:
            return actor.can(ability, self.tenant_id_of(row))
        return actor.can_somewhere(ability) if self.in_tenant else actor.can(ability)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What has no tenant is for every member to see; row-level security bounds the rest."""
        if obj is None or not self.in_tenant:
            return actor_of(request).can_somewhere(self.view_ability)
        return self.has_ability(request, self.view_ability, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether there is a place where the person may add a row."""
        return self.has_ability(request, self.add_ability, None)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether the person may change this row, or some row."""
        return self.has_ability(request, self.change_ability, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never: what ends has a verb of its own, such as revoke, archive or discard."""
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        """As for viewing."""
        return self.has_view_permission(request)

    # Saving

    def save_row(self, request: HttpRequest, row: Any, form: Any, formsets: Any, change: bool) -> Model:
        """Call the service with what the form holds; returns the stored row. Raises ``TelemetryError``."""
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing: ``save_row`` saves the row with its parts."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The service has saved row and parts, or raised."""
        stored = self.save_row(request, form.instance, form, formsets, change)
        # What the form held becomes what was stored, so that the answer names and links the stored row.
        form.instance.__dict__.update(stored.__dict__)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django's; what a service refuses comes back in the form, beside the field that it is about."""
        if request.method == "POST":
            self._require_ability(request, object_id)
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except (NotAllowed, NotFound):
            raise
        except TelemetryError as error:
            show_refusal(request, error)
            return super().changeform_view(request, object_id, form_url, extra_context)

    def _require_ability(self, request: HttpRequest, object_id: str | None) -> None:
        """Django only says no; this names the ability, so that the attempt is written down."""
        if object_id is None:
            ability, row = self.add_ability, None
        else:
            ability, row = self.change_ability, self.get_object(request, admin.utils.unquote(object_id))
        if ability is not None and not self.has_ability(request, ability, row):
            raise NotAllowed(f"your role does not include the ability {ability}", ability=ability)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Django's, which shows what a service refused, if it did."""
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal = refusal_of(request)
        return form if refusal is None else type(form.__name__, (form,), {"refusal": refusal})

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """To the new row's page, or to another empty form."""
        self.message_user(request, f"The {entry_of(self.opts).one} {obj} was added.", messages.SUCCESS)
        return HttpResponseRedirect(request.get_full_path() if "_addanother" in request.POST else address_of(obj))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """The same page again."""
        self.message_user(request, f"The {entry_of(self.opts).one} {obj} was saved.", messages.SUCCESS)
        return HttpResponseRedirect(address_of(obj))

    # Reading

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Django's, under the noun's own title."""
        return super().changelist_view(request, {"title": entry_of(self.opts).title, **(extra_context or {})})

    def head_of(self, request: HttpRequest, row: Any) -> Head | None:
        """What stands above the row's form."""
        return None

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Django's, with the head of the row; who may only look sees the same form, switched off."""
        row = context.get("original")
        entry = entry_of(self.opts)
        context["title"] = f"New {entry.one}" if row is None else entry.title
        # One button that saves, and says so.
        context |= {"show_save_and_continue": False, "show_save_and_add_another": self.adds_in_series and row is None}
        if "head" not in context:
            context["head"] = None if row is None else self.head_of(request, row)
        if row is not None and not self.has_change_permission(request, row):
            context["adminform"] = self._switched_off(request, row, context["adminform"])
        return super().render_change_form(request, context, *args, **kwargs)

    def _switched_off(self, request: HttpRequest, row: Any, shown: Any) -> AdminForm:
        """Django would show the row's columns instead of the fields, and nothing for fields that are no column."""
        for field in shown.form.fields.values():
            field.disabled = True
        readonly = self.get_readonly_fields(request, row)
        return AdminForm(shown.form, list(shown.fieldsets), {}, readonly, model_admin=self)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row, or 404: a row of another tenant is as absent as one that never was."""
        row = super().get_object(request, object_id, from_field)
        if row is None:
            raise Http404
        return row

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only what a filter of the list offers, or a link of ours uses."""
        is_known = lookup in self.linked_lookups or is_offered(lookup, self.list_filter)
        # PostgreSQL takes no text with this character, not even to compare.
        return is_known and "\x00" not in str(value)

    def log_addition(self, *_: Any, **__: Any) -> None:
        """Nothing: services write the audit trail, in the transaction of the change."""

    def construct_change_message(self, *_: Any, **__: Any) -> list[Any]:
        """Nothing, see above."""
        return []

    log_change = log_addition
    log_deletions = log_addition

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """No page: the audit log has the history of everything."""
        raise Http404
