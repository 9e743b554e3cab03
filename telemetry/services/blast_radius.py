"""What publishing a spec would do to the installations that are bound to it; nothing is stored.

Everything happens in the caller's tenant context: installations that it does not show are not counted either.
"""

from telemetry.core.errors import UnknownSpec
from telemetry.core.spec import TelemetrySpec
from telemetry.mappers import spec_from_records, spec_of_version
from telemetry.selectors.bound_installations import bound_groups
from telemetry.selectors.draft_states import DraftState
from telemetry.selectors.specs import spec_by_name, version_of
from telemetry.services.examination import Budget, Examination
from telemetry.services.impact_reports import MAXIMUM_RESOLVED_EVENTS, ImpactKind, ImpactReport, Survey
from tenants.actors import Actor, require

__all__ = ["impact_of", "impact_of_draft"]


def impact_of_draft(
    *, actor: Actor, spec_name: str, kind: ImpactKind | None = None, page: int = 1, page_size: int = 25
) -> ImpactReport:
    """What publishing the spec's draft as it is now would do; as ``impact_of``. Five queries."""
    require(actor, "view")
    draft = spec_from_records(spec_by_name(spec_name))
    return impact_of(actor=actor, spec=draft, kind=kind, page=page, page_size=page_size)


def impact_of(
    *,
    actor: Actor,
    spec: TelemetrySpec,
    kind: ImpactKind | None = None,
    page: int = 1,
    page_size: int = 25,
    state: DraftState | None = None,
) -> ImpactReport:
    """What happens to each installation if ``spec``, which is valid, is published as the next version of its name.

    With ``kind``, the list has only the installations to which that happens. However many installations have the same
    config, it is resolved once. Needs ``view`` in the workspace. Three queries; two if ``state``, which is that
    of the spec, has read the versions.
    """
    require(actor, "view")
    name = spec.meta.name
    published = _published(name) if state is None else state.published_spec
    examination = Examination(published, spec, budget=Budget(MAXIMUM_RESOLVED_EVENTS))
    survey = Survey()
    for group in bound_groups(name):
        if group.is_pinned:
            survey.count(group, "installations", "pinned")
        else:
            survey.look_at(group, examination)
    return survey.report(kind=kind, page=page, page_size=page_size)


def _published(name: str) -> TelemetrySpec | None:
    try:
        return spec_of_version(version_of(name))
    except UnknownSpec:
        return None
