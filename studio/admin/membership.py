"""Roles of people in the admin."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from studio import markup
from studio.addresses import page_address
from studio.admin.base import EmptyState, StudioModelAdmin
from studio.admin.fields import TextField
from studio.admin.refusals import ServiceForm
from studio.admin.site import site
from studio.head import Deed, Fact, Head
from studio.pages.membership_deeds import revoke
from studio.pages.scope import tenants_where
from studio.people import actor_of
from tenants.actors import Actor
from tenants.models import Membership, Tenant
from tenants.permissions import abilities_of
from tenants.roles import Role
from tenants.services.people import grant_membership

__all__ = ["MembershipAdmin"]

ROLE_TONES = {
    Role.VIEWER: "grey",
    Role.ANALYST: "blue",
    Role.PRIVACY_OFFICER: "amber",
    Role.PUBLISHER: "green",
    Role.ADMIN: "ink",
}


class MembershipForm(ServiceForm):
    """A person's role somewhere. The person is typed: a list would show everybody to the admin of one tenant."""

    person = TextField(required=True, label="Person", help_text="The name that they sign in with.")
    place = forms.ModelChoiceField(
        Tenant.objects.none(), label="Tenant", required=False, widget=UnfoldAdminSelectWidget()
    )
    role = forms.ChoiceField(widget=UnfoldAdminSelectWidget())

    class Meta:
        model = Membership
        fields: list[str] = []

    # Set for each request, see ``MembershipAdmin.get_form``.
    actor: Actor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        existing = self.instance if self.instance.pk else None
        if existing is not None:
            del self.fields["person"], self.fields["place"]
            self.initial["role"] = existing.role
        else:
            self._offer_places(self.fields["place"])
        place = None if existing is None else existing.tenant_id
        cast("forms.ChoiceField", self.fields["role"]).choices = [
            (role.value, role.label)
            for role in Role
            if existing is None or role.value == existing.role or self.actor.can_grant(role, place)
        ]

    def _offer_places(self, field: Any) -> None:
        field.queryset = tenants_where(self.actor, "people.manage")
        if self.actor.can("people.manage"):
            field.empty_label = "the whole workspace"
        else:
            field.required, field.empty_label = True, "Select a tenant"

    def clean_person(self) -> User:
        """The account of this name."""
        found = User.objects.filter(username=self.cleaned_data["person"]).first()
        if found is None:
            raise forms.ValidationError("Nobody signs in with this name.")
        return found


@admin.register(Membership, site=site)
class MembershipAdmin(StudioModelAdmin):
    """Who may do what, where."""

    address = "roles/"
    empty_state = EmptyState(
        "badge",
        "Nobody has a role yet",
        "A role says what a person may do, in one tenant or in the whole workspace. Without one a person sees nothing.",
    )
    view_ability = "people.manage"
    add_ability = "people.manage"
    change_ability = "people.manage"
    in_tenant = True
    form = MembershipForm
    list_display = ["person_name", "role_chip", "where", "since"]
    list_filter = [("role", ChoicesDropdownFilter), ("tenant", RelatedDropdownFilter)]
    list_filter_submit = True
    list_select_related = ["user", "tenant"]
    search_fields = ["user__username", "user__email", "tenant__name"]
    search_help_text = "Person or tenant"
    ordering = ["user__username"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """With person and tenant."""
        return super().get_queryset(request).select_related("user", "tenant")

    def get_fieldsets(self, request: HttpRequest, obj: Membership | None = None) -> Any:
        """Who and where cannot change, so they stand in the head."""
        return [(None, {"fields": ["person", "place", "role"] if obj is None else ["role", "brings"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> list[str]:
        """What the role brings follows from it."""
        return [] if obj is None else ["brings"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form offers what the person may give."""
        form = super().get_form(request, obj, change, **kwargs | {"fields": []})
        return type(form.__name__, (form,), {"actor": actor_of(request)})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The person from whose page one comes."""
        return {"person": request.GET.get("person", "")}

    @display(description="Person", ordering="user__username")
    def person_name(self, membership: Membership) -> str:
        """How they sign in."""
        return membership.user.get_username()

    @display(description="Role", ordering="role")
    def role_chip(self, membership: Membership) -> SafeString:
        """What they are."""
        role = Role(membership.role)
        return markup.chip(role.label.lower(), ROLE_TONES[role])

    @display(description="Where", ordering="tenant__name")
    def where(self, membership: Membership) -> str:
        """In which tenant."""
        return membership.tenant.name if membership.tenant else "whole workspace"

    @display(description="Since", ordering="created_at")
    def since(self, membership: Membership) -> SafeString:
        """When it was granted first."""
        return markup.when(membership.created_at)

    @display(description="What it brings")
    def brings(self, membership: Membership) -> SafeString:
        """The abilities of the role."""
        return markup.words(sorted(abilities_of([Role(membership.role)])))

    def head_of(self, request: HttpRequest, row: Membership) -> Head:
        """Who and where."""
        facts = (Fact("Person", self.person_name(row)), Fact("Where", self.where(row)), Fact("Since", self.since(row)))
        may = actor_of(request).can_grant(Role(row.role), row.tenant_id)
        deeds = (Deed("Take the role away", page_address(row, "revoke"), "person_remove", "danger"),) if may else ()
        return Head((self.role_chip(row),), facts, deeds)

    def get_urls(self) -> list[URLPattern]:
        """With the page that takes the role away."""
        view = self.admin_site.admin_view(revoke)
        return [path("<int:membership_id>/revoke/", view, name="tenants_membership_revoke"), *super().get_urls()]

    def save_row(self, request: HttpRequest, row: Any, form: Any, formsets: Any, change: bool) -> Membership:
        """The role is granted."""
        data = form.cleaned_data
        user, tenant = (row.user, row.tenant) if change else (data["person"], data["place"])
        granted = grant_membership(actor=actor_of(request), user=user, tenant=tenant, role=Role(data["role"]))
        granted.user = user
        return granted
