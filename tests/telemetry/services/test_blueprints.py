"""An app's blueprint is checked against the spec that it points at and the floors that it meets."""

import pytest

from telemetry.core.config import AppBlueprint, EventOverride, PrivacyFloor, SamplingBounds, SpecPointer
from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import InvalidDocument, NotAllowed, StaleRevision
from telemetry.services.blueprints import create_app, find_blueprint_errors, save_blueprint
from telemetry.services.configs import effective_config
from tenants.actors import SYSTEM
from tenants.mappers import blueprint_of
from tenants.models import App
from tenants.roles import Role
from tenants.services.floors import save_floor
from tests.core.builders import make_redaction
from tests.telemetry.factories import everything_stored, make_installation, make_published
from tests.tenants.factories import make_actor, make_app

pytestmark = pytest.mark.usefixtures("workspace")

NAME = "sigil.telemetry"
STEP = "sigil.telemetry.workflow_step"


def bound(**fields: object) -> AppBlueprint:
    return AppBlueprint(spec=SpecPointer(name=NAME), events={STEP: EventOverride(**fields)})  # type: ignore[arg-type]


def save(app: App, blueprint: AppBlueprint) -> App:
    return save_blueprint(actor=SYSTEM, app=app, blueprint=blueprint, expected_revision=app.config_revision)


def test_a_blueprint_that_fits_holds_for_every_installation() -> None:
    make_published()
    installation = make_installation()

    saved = save(installation.app, bound(sampling_rate=0.5))

    assert blueprint_of(saved) == bound(sampling_rate=0.5)
    config = effective_config(installation)
    assert config.events[0].sampling.rate == 0.5
    assert config.revision == saved.config_revision


@pytest.mark.parametrize(
    ("blueprint", "expected"),
    [
        (AppBlueprint(spec=SpecPointer(name="sigil.telemetri")), ("unknown_spec", "spec.name")),
        (AppBlueprint(spec=SpecPointer(name=NAME, version=2)), ("unknown_spec", "spec.version")),
        (
            AppBlueprint(spec=SpecPointer(name=NAME), events={"nothing": EventOverride()}),
            ("unknown_event", "events.nothing"),
        ),
        (bound(privacy=PrivacyLevel.PUBLIC), ("loosens", f'events["{STEP}"].privacy')),
        (
            bound(redaction={"nobody": make_redaction("drop")}),
            ("unknown_property", f'events["{STEP}"].redaction.nobody'),
        ),
        (bound(sampling_rate=0.01), ("below_floor", f'events["{STEP}"].samplingRate')),
    ],
)
def test_a_blueprint_that_does_not_fit_is_neither_saved_nor_created(
    blueprint: AppBlueprint, expected: tuple[str, str]
) -> None:
    make_published()
    app = make_app()
    save_floor(
        actor=SYSTEM,
        app=None,
        floor=PrivacyFloor(sampling=SamplingBounds(minimum_rate=0.05)),
        expected_revision=0,
    )
    before = everything_stored()

    with pytest.raises(InvalidDocument) as saving:
        save(app, blueprint)
    with pytest.raises(InvalidDocument) as creating:
        create_app(actor=SYSTEM, slug="another", name="Another", blueprint=blueprint)

    for error in (saving, creating):
        assert [(each.code, each.path) for each in error.value.errors] == [expected]
    assert everything_stored() == before


def test_the_floor_of_the_app_itself_counts_too() -> None:
    make_published()
    app, other = make_app(), make_app()
    floor = PrivacyFloor(sampling=SamplingBounds(minimum_rate=0.5))
    save_floor(actor=SYSTEM, app=app, floor=floor, expected_revision=0)

    assert [error.code for error in find_blueprint_errors(app, bound(sampling_rate=0.1))] == ["below_floor"]
    assert find_blueprint_errors(other, bound(sampling_rate=0.1)) == ()
    assert find_blueprint_errors(None, bound(sampling_rate=0.1)) == ()


def test_without_a_pointer_each_tenant_brings_its_own_spec() -> None:
    blueprint = AppBlueprint(events={"anything": EventOverride(enabled=False)})

    app = create_app(actor=SYSTEM, slug="another", name="Another", blueprint=blueprint)

    assert blueprint_of(app) == blueprint
    assert blueprint_of(create_app(actor=SYSTEM, slug="empty", name="Empty")) == AppBlueprint()


def test_somebody_elses_blueprint_is_not_overwritten() -> None:
    make_published()
    app = make_app()
    stale = App.objects.get(pk=app.pk)
    save(app, bound(enabled=False))
    before = everything_stored()

    with pytest.raises(StaleRevision):
        save(stale, bound(enabled=True))

    assert everything_stored() == before


def test_who_may_not_manage_apps_changes_nothing() -> None:
    make_published()
    app, actor = make_app(), make_actor(Role.PUBLISHER)
    before = everything_stored()

    with pytest.raises(NotAllowed, match=r"app\.manage"):
        save_blueprint(actor=actor, app=app, blueprint=bound(), expected_revision=app.config_revision)
    with pytest.raises(NotAllowed, match=r"app\.manage"):
        create_app(actor=actor, slug="another", name="Another")

    assert everything_stored() == before
