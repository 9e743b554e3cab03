"""The admin site that is the studio's shell."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, include, path, reverse
from unfold.sites import UnfoldAdminSite
from unfold.widgets import BASE_INPUT_CLASSES

from studio.pages.overview import overview_context

__all__ = ["StudioAdminSite", "site"]

# Views of the theme and of Django that nothing here leads to.
UNUSED = frozenset({"search", "view_on_site"})


class SignInForm(AuthenticationForm):
    """Every active person may sign in; what they then see depends on their roles."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = " ".join(BASE_INPUT_CLASSES)


class StudioAdminSite(UnfoldAdminSite):
    """Django's admin with the studio's addresses, overview and side bar."""

    index_title = "Overview"
    index_template = "studio/pages/overview.html"
    login_form = SignInForm

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether somebody is signed in and active; each page asks for abilities of its own."""
        return request.user.is_active

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Django's, with each noun under the word that people use: ``specs/`` instead of ``telemetry/specrecord/``."""
        by_route = {f"{m._meta.app_label}/{m._meta.model_name}/": admin for m, admin in self._registry.items()}
        urls: list[URLPattern | URLResolver] = []
        for url in super().get_urls():
            model_admin = by_route.get(str(url.pattern))
            if model_admin is not None:
                urls.append(path(model_admin.address, include(model_admin.urls)))
            elif getattr(url, "name", None) not in UNUSED:
                urls.append(url)
        return urls

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The overview instead of a list of models."""
        request.current_app = self.name
        context = {**self.each_context(request), "title": self.index_title, **overview_context(request)}
        return TemplateResponse(request, self.index_template, context | (extra_context or {}))

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The overview: people know nouns, not Django's apps."""
        return HttpResponseRedirect(reverse("admin:index"))


site = StudioAdminSite(name="admin")
