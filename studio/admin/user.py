"""People in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanSwitchWidget

from studio import markup
from studio.addresses import list_address, page_address
from studio.admin.base import EmptyState, StudioModelAdmin
from studio.admin.fields import TextField
from studio.admin.refusals import ServiceForm
from studio.admin.site import site
from studio.head import Deed, Fact, Head
from studio.pages.account_deeds import change_password
from studio.people import actor_of
from tenants.models import Membership
from tenants.roles import Role
from tenants.services.accounts import create_account, save_account

__all__ = ["UserAdmin"]


class UserForm(ServiceForm):
    """A person's account."""

    places = {
        "username": "username",
        "email": "email",
        "first_name": "first_name",
        "last_name": "last_name",
        "password": "password",
    }

    username = TextField(
        required=True, label="Signs in as", help_text="Letters, digits and @ . + - _. It never changes."
    )
    first_name = TextField()
    last_name = TextField()
    email = TextField(label="E-mail address")
    password = forms.CharField(
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters. Hand it over in person; they can change it once they are signed in.",
    )
    is_active = forms.BooleanField(
        label="May sign in",
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Switched off, their sessions end at once.",
    )

    class Meta:
        model = User
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            del self.fields["is_active"]
            return
        del self.fields["username"], self.fields["password"]
        self.initial.update({name: getattr(self.instance, name) for name in self.fields})


@admin.register(User, site=site)
class UserAdmin(StudioModelAdmin):
    """Who can sign in. What they may do then is a matter of their roles."""

    address = "people/"
    empty_state = EmptyState("group", "Nobody yet", "People sign in to the studio; roles say what they may do.")
    view_ability = "people.manage"
    add_ability = "people.manage"
    change_ability = "people.manage"
    form = UserForm
    list_display = ["username", "full_name", "email", "state", "roles", "last_seen"]
    list_filter = [("is_active", BooleanRadioFilter)]
    list_filter_submit = True
    search_fields = ["username", "first_name", "last_name", "email"]
    search_help_text = "Name or e-mail address"
    ordering = ["username"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """People belong to the workspace: the admin of one tenant does not see everybody."""
        return actor_of(request).can("people.manage")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A superuser's account is changed by its owner only."""
        if obj is not None and obj.is_superuser and obj.pk != actor_of(request).user_id:
            return False
        return super().has_change_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """With the roles of each."""
        roles = Prefetch("memberships", Membership.objects.select_related("tenant").order_by("tenant__name"))
        return super().get_queryset(request).prefetch_related(roles)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """What a new person needs, or what can change."""
        names = ["first_name", "last_name", "email"]
        return [(None, {"fields": ["username", *names, "password"] if obj is None else [*names, "is_active"]})]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form names its fields itself."""
        return super().get_form(request, obj, change, **kwargs | {"fields": []})

    @display(description="Name", ordering="last_name")
    def full_name(self, user: User) -> str:
        """For people."""
        return user.get_full_name() or markup.ABSENT

    @display(description="State", ordering="is_active")
    def state(self, user: User) -> SafeString:
        """Whether they can sign in."""
        return markup.status_chip("active" if user.is_active else "inactive")

    @display(description="Roles")
    def roles(self, user: Any) -> SafeString:
        """What they are, and where."""
        if user.is_superuser:
            return markup.chip("superuser", "ink")
        return markup.words(
            [
                f"{Role(each.role).label.lower()} of {each.tenant.name if each.tenant else 'the workspace'}"
                for each in user.memberships.all()
            ]
        )

    @display(description="Last signed in", ordering="last_login")
    def last_seen(self, user: User) -> SafeString:
        """When."""
        return markup.when(user.last_login, "never")

    def head_of(self, request: HttpRequest, row: User) -> Head:
        """Whether they can sign in, and what they are."""
        deeds = [Deed("Give a role", f"{list_address(Membership)}add/?person={row.get_username()}", "badge")]
        if self.has_change_permission(request, row):
            deeds.append(Deed("Set password", page_address(row, "password"), "password"))
        facts = (Fact("Roles", self.roles(row)), Fact("Last signed in", self.last_seen(row)))
        return Head((self.state(row),), facts, tuple(deeds))

    def get_urls(self) -> list[URLPattern]:
        """With the page that sets a password."""
        view = self.admin_site.admin_view(change_password)
        return [path("<int:user_id>/password/", view, name="auth_user_password"), *super().get_urls()]

    def save_row(self, request: HttpRequest, row: Any, form: Any, formsets: Any, change: bool) -> Any:
        """A new account, or what changed of one."""
        save = save_account if change else create_account
        return save(actor=actor_of(request), **form.cleaned_data, **({"user": row} if change else {}))
