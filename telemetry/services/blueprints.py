"""An app's blueprint, checked against the spec that it points at and the floors that it meets."""

from django.db import transaction

from telemetry.core.config import AppBlueprint, TenantOverride
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.floors import combine_floors
from telemetry.core.resolution import find_loosening
from telemetry.services.config_parts import prepare_parts
from telemetry.services.references import find_misfits, read_pointer
from tenants.actors import Actor, require
from tenants.floor_selectors import floors_of
from tenants.mappers import floor_of
from tenants.models import App, FloorRecord
from tenants.services import apps
from tenants.services.config_revision import bump

__all__ = ["create_app", "find_blueprint_errors", "save_blueprint"]

WHAT = "blueprint"


def find_blueprint_errors(app: App | None, blueprint: AppBlueprint) -> tuple[FieldError, ...]:
    """Every reason why the blueprint may not hold for the app, with paths in its document; up to 3 queries.

    Without a spec pointer it may say anything about events: which events there are, each tenant's own pointer decides.
    For an app that is still to be made, ``None``, the organisation's floor alone counts.
    """
    if blueprint.spec is None:
        return ()
    spec, errors = read_pointer(blueprint.spec)
    if spec is None:
        return errors
    records = (FloorRecord.objects.filter(app=None).first(),) if app is None else floors_of(app)
    floor = combine_floors(*(floor_of(record) for record in records))
    # What may not loosen is the same for both layers, and so are their fields.
    as_override = TenantOverride(
        spec=blueprint.spec,
        enabled=blueprint.enabled,
        default_sampling_rate=blueprint.default_sampling_rate,
        undeclared_properties=blueprint.undeclared_properties,
        events=blueprint.events,
    )
    return (*find_misfits(spec, blueprint), *find_loosening(spec, None, as_override, floor))


@transaction.atomic
def create_app(
    *, actor: Actor, slug: str, name: str, description: str = "", blueprint: AppBlueprint | None = None
) -> App:
    """As ``tenants.services.apps.create_app``, once the blueprint is known to fit; else ``InvalidDocument``."""
    require(actor, "app.manage")
    _refuse(None, blueprint or AppBlueprint())
    app = apps.create_app(actor=actor, slug=slug, name=name, description=description, blueprint=blueprint)
    _prepare(blueprint)
    return app


@transaction.atomic
def save_blueprint(*, actor: Actor, app: App, blueprint: AppBlueprint, expected_revision: int) -> App:
    """As ``tenants.services.apps.save_blueprint``, once the blueprint is known to fit; else ``InvalidDocument``."""
    require(actor, "app.manage")
    _refuse(app, blueprint)
    saved = apps.save_blueprint(actor=actor, app=app, blueprint=blueprint, expected_revision=expected_revision)
    _prepare(blueprint)
    return saved


def _prepare(blueprint: AppBlueprint | None) -> None:
    if blueprint is not None and blueprint.spec is not None:
        prepare_parts(blueprint.spec.name)


def _refuse(app: App | None, blueprint: AppBlueprint) -> None:
    # Takes the lock under which specs are published and archived, so that what is found here stays true. The number
    # that the change itself gets is a later one.
    bump()
    errors = find_blueprint_errors(app, blueprint)
    if errors:
        raise InvalidDocument(errors, what=WHAT)
