"""Products and their blueprints."""

from django.db import transaction

from telemetry.core.config import AppBlueprint
from telemetry.core.errors import StaleRevision
from tenants.actors import Actor, require
from tenants.mappers import document_of
from tenants.models import App, BlueprintVersion, ChangeScope
from tenants.services import audit
from tenants.services.checks import conflict_if_taken, line_error, refuse_errors, slug_error, text_error
from tenants.services.config_revision import Stamp, record_change, take_stamp

__all__ = ["create_app", "save_blueprint"]


@transaction.atomic
def create_app(
    *, actor: Actor, slug: str, name: str, description: str = "", blueprint: AppBlueprint | None = None
) -> App:
    """A new product with its blueprint, by default an empty one.

    Needs ``app.manage`` in the workspace. Raises ``InvalidDocument`` for bad texts or a bad blueprint, ``Conflict`` if
    the slug is taken. That the blueprint's spec exists is for the caller to check.
    """
    require(actor, "app.manage")
    refuse_errors("app", slug_error("slug", slug), line_error("name", name), text_error("description", description))
    document = document_of(blueprint or AppBlueprint(), what="blueprint")
    stamp = take_stamp()
    with conflict_if_taken(f"an app with the slug {slug} exists already"):
        app = App.objects.create(
            slug=slug, name=name, description=description, blueprint=document.text, config_revision=stamp.revision
        )
    _keep(actor, app, stamp)
    audit.record(actor=actor, action="app.created", target=app, details={"slug": slug, "blueprint": document.text})
    return app


@transaction.atomic
def save_blueprint(*, actor: Actor, app: App, blueprint: AppBlueprint, expected_revision: int) -> App:
    """The blueprint holds for every installation of the app from here on.

    ``expected_revision`` is the ``config_revision`` of the app that was edited; ``StaleRevision`` if it changed since.
    Needs ``app.manage`` in the workspace. That the blueprint's spec exists is for the caller to check.
    """
    require(actor, "app.manage")
    document = document_of(blueprint, what="blueprint")
    stamp = take_stamp()
    before = App.objects.filter(pk=app.pk).values_list("blueprint", flat=True).first()
    changed = App.objects.filter(pk=app.pk, config_revision=expected_revision).update(
        blueprint=document.text, config_revision=stamp.revision
    )
    if changed != 1:
        raise StaleRevision("the blueprint was changed by somebody else; reload it")
    app.refresh_from_db(fields=["blueprint", "config_revision"])
    _keep(actor, app, stamp)
    details = {"config_revision": stamp.revision, "before": before, "after": document.text}
    audit.record(actor=actor, action="app.blueprint.saved", target=app, details=details)
    return app


def _keep(actor: Actor, app: App, stamp: Stamp) -> None:
    """What the blueprint says from here on can be told later."""
    last = BlueprintVersion.objects.filter(app=app).order_by("-number").values_list("number", flat=True).first()
    BlueprintVersion.objects.create(
        app=app, number=(last or 0) + 1, document=app.blueprint, saved_at=stamp.at, saved_by_label=actor.label
    )
    record_change(ChangeScope.APP, app.pk, stamp)
