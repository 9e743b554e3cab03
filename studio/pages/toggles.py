"""The toggles of an installation: what is collected of each event, what share, for how long, how hidden."""

from typing import Any, Final
from uuid import UUID

import msgspec
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from studio.addresses import page_address
from studio.markup import counted
from studio.pages.forms import posted
from studio.pages.installation import head_of, installation_or_404
from studio.pages.shell import confirm, render_page, report_refusal
from studio.pages.toggles_filter import BulkForm, FilterForm
from studio.pages.toggles_form import OWN_FIELDS, TogglesForm, state_of
from studio.people import actor_of
from telemetry.core.config import EventOverride, TenantOverride
from telemetry.core.errors import Conflict, NotAllowed, StaleRevision, TelemetryError
from telemetry.core.override_editing import own_override, with_own
from telemetry.services.overrides import save_override
from telemetry.services.toggles import ToggleGrid, Toggles, edit_in_bulk, edited_override, publish_toggles, toggles_of
from tenants.actors import require
from tenants.models import Installation
from tenants.selectors import last_step, planned_periods
from tenants.services.config_drafts import undo_draft_change

__all__ = ["reset_toggles", "toggles"]

# Rows per page: what a person looks over at once, and a form that is sent in a moment.
PAGE_SIZE: Final = 50
# More left out wishes than this are counted.
SHOWN_REFUSALS: Final = 3


def toggles(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The grid; sent, it is saved as the draft or published, one change is made to many events, or one is undone."""
    page = TogglesPage(request, public_id)
    if request.method == "POST":
        done = page.undo() if "undo" in request.POST else page.bulk() if "bulk" in request.POST else page.save()
        if done:
            return HttpResponseRedirect(page.address)
    return page.render()


def reset_toggles(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Everything is inherited again, in a draft."""
    installation, actor = installation_or_404(public_id), actor_of(request)
    require(actor, "config.edit", installation.tenant_id)
    state = state_of(edited_override(installation))

    def deed() -> str:
        save_override(
            actor=actor,
            installation=installation,
            override=TenantOverride(),
            expected_checksum=request.POST.get("expected_checksum") or None,
            deed="Reset everything",
        )
        return "The draft changes nothing of what the app says. Apps see that once it is published."

    return confirm(
        request,
        noun=Installation,
        row=installation,
        title="Inherit everything again",
        text="The draft will change nothing of what the app's blueprint and the spec say: no event, no pin, no switch. "
        "Apps see it once the draft is published, and until then it can be undone.",
        button="Inherit everything",
        back=page_address(installation, "toggles"),
        deed=deed,
        hidden={"expected_checksum": state["expected_checksum"]},
    )


class TogglesPage:
    """One look at the page: what it starts from, which events it shows, and its forms."""

    def __init__(self, request: HttpRequest, public_id: UUID) -> None:
        self.request, self.actor = request, actor_of(request)
        self.installation = installation_or_404(public_id)
        self.edited = edited_override(self.installation)
        self.toggles, self.problem = self._toggles()
        self.filters = FilterForm(request.GET, tags=[] if self.toggles is None else self.toggles.tags)
        self.grid, self.page = self._grid()
        state = state_of(self.edited)
        sent = posted(request)
        is_bulk = sent is not None and "bulk" in sent
        self.form = TogglesForm(None if is_bulk else sent, edited=self.edited, toggles=self.toggles, page=self.grid)
        self.bulk_form = BulkForm(sent if is_bulk else None, checksum=state["expected_checksum"])

    @property
    def address(self) -> str:
        """This page with this filter."""
        number = self.page.number if self.page is not None and self.page.number > 1 else None
        query = "&".join(part for part in (self.filters.query, f"page={number}" if number else "") if part)
        return page_address(self.installation, "toggles") + (f"?{query}" if query else "")

    # Doing; each is true when it is done, and else leaves the reason in a form

    def save(self) -> bool:
        """The form is the draft, or live at once."""
        if not self.form.is_valid():
            return False
        data = self.form.cleaned_data
        expected_checksum = data["expected_checksum"] or None
        try:
            if "publish" in self.request.POST:
                config = publish_toggles(
                    actor=self.actor,
                    installation=self.installation,
                    override=self.form.override(),
                    change_summary=data["change_summary"],
                    expected_checksum=expected_checksum,
                    expected_published_number=data["expected_number"],
                )
                said = f"Version {config.number} is live. Apps get the new config with their next request."
            else:
                override, deed = self._to_save()
                save_override(
                    actor=self.actor,
                    installation=self.installation,
                    override=override,
                    expected_checksum=expected_checksum,
                    deed=deed,
                )
                said = "The draft is saved. Apps see nothing of it until it is published."
        except NotAllowed:
            raise
        except StaleRevision:
            self.form.take_new_state(state_of(self.edited))
        except TelemetryError as error:
            self.form.refuse(error)
        else:
            messages.success(self.request, said)
            return True
        return False

    def bulk(self) -> bool:
        """The one change is in the draft, for every event that the filter shows."""
        require(self.actor, "config.edit", self.installation.tenant_id)
        if not self.bulk_form.is_valid():
            return False
        try:
            result = edit_in_bulk(
                actor=self.actor,
                installation=self.installation,
                chosen=self.filters.chosen,
                edit=self.bulk_form.edit(),
                expected_checksum=self.bulk_form.cleaned_data["expected_checksum"] or None,
            )
        except NotAllowed:
            raise
        except TelemetryError as error:
            self.bulk_form.refuse(error)
            return False
        messages.success(self.request, f"{counted(result.changed, 'event')} changed in the draft.")
        if result.refused:
            shown = "; ".join(str(error) for error in result.refused[:SHOWN_REFUSALS])
            more = len(result.refused) - SHOWN_REFUSALS
            rest = f"; and {more} more" if more > 0 else ""
            messages.warning(self.request, f"Left out, because it may not be: {shown}{rest}.")
        return True

    def undo(self) -> bool:
        """The draft says what it said before its last change."""
        try:
            step = undo_draft_change(
                actor=self.actor,
                installation=self.installation,
                expected_checksum=self.request.POST.get("expected_checksum", ""),
            )
        except Conflict as error:
            report_refusal(self.request, error)
        else:
            messages.success(self.request, f"Undone: {step.deed}.")
        return True

    def _to_save(self) -> tuple[TenantOverride, str]:
        """The override that the form describes, without what a button takes back; and what is done, in words."""
        override, asked = self.form.override(), self.request.POST.get("reset", "")
        field, _, reference = asked.partition(":")
        shown = {row.reference: row for row in self.form.grid()}
        if reference not in shown or self.toggles is None:
            return override, "Edited the toggles"
        event = shown[reference].event
        key = (event.name, event.version)
        own = {each: own_override(override, *each) for each in self.toggles.own_of([key], lambda said: said)}
        said = own[key]
        if field in OWN_FIELDS:
            own[key] = msgspec.structs.replace(said, **{OWN_FIELDS[field]: getattr(EventOverride(), OWN_FIELDS[field])})
        else:
            own[key] = EventOverride()
        return with_own(override, own), f"Inherited {field if field in OWN_FIELDS else 'all'} of {reference} again"

    # Showing

    def render(self) -> HttpResponse:
        """The page."""
        may_edit = self.actor.can("config.edit", self.installation.tenant_id)
        if not may_edit:
            self.form.switch_off()
        context: dict[str, Any] = {
            "head": head_of(self.request, self.installation, "toggles"),
            "form": self.form,
            "bulk_form": self.bulk_form,
            "filters": self.filters,
            "is_filtered": bool(self.filters.query),
            "toggles": self.toggles,
            "edited": self.edited,
            "problem": self.problem,
            "grid": self.grid,
            "page": self.page,
            "query": self.filters.query,
            "step": None if self.edited.draft is None else last_step(self.edited.draft),
            "planned": list(planned_periods(self.installation)),
            "may_edit": may_edit,
            "may_publish": may_edit and self.actor.can("config.publish", self.installation.tenant_id),
        }
        return render_page(
            self.request,
            "studio/pages/toggles.html",
            noun=Installation,
            title="Toggles",
            row=self.installation,
            **context,
        )

    def _toggles(self) -> tuple[Toggles | None, str]:
        """The toggles, or why there are none."""
        try:
            return toggles_of(self.installation, self.edited), ""
        except Conflict as error:
            return None, error.message

    def _grid(self) -> tuple[ToggleGrid | None, "Page[Any] | None"]:
        if self.toggles is None:
            return None, None
        text = self.request.GET.get("page", "")
        number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else 1
        chosen = self.filters.chosen
        grid = self.toggles.page(chosen, offset=max(0, number - 1) * PAGE_SIZE, limit=PAGE_SIZE)
        page = Paginator(range(grid.total), PAGE_SIZE).get_page(number)
        if page.number != number:
            grid = self.toggles.page(chosen, offset=page.start_index() and page.start_index() - 1, limit=PAGE_SIZE)
        return grid, page
