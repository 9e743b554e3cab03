"""Keys at work: proven at every call, refused at once (attacks 62 to 67)."""

import logging
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from telemetry.core.enums import Environment
from telemetry.core.errors import Conflict, InvalidDocument, NotAllowed, NotAuthenticated
from tenants.actors import actor_of_key, actor_of_user
from tenants.context import ALL, tenant_context
from tenants.keys import REFUSAL, digest_of, mint
from tenants.models import ApiKey, AuditEntry, Installation, Tenant
from tenants.roles import Role, Scope
from tenants.services.keys import IssuedKey, authenticate, issue_key, issue_personal_key, revoke_key, rotate_key
from tests.tenants.factories import make_actor, make_installation, make_key, make_tenant, make_user
from tests.tenants.together import run_together

pytestmark = pytest.mark.django_db


def refusal_of(text: str) -> str:
    """Why ``text`` is refused; the words that go out are always the same."""
    with transaction.atomic(), pytest.raises(NotAuthenticated) as refusal:
        authenticate(text)
    assert str(refusal.value) == REFUSAL
    assert (refusal.value.errors, refusal.value.__cause__) == ((), None)
    return refusal.value.reason


def set_key(issued: IssuedKey, **values: object) -> None:
    with tenant_context(ALL):
        assert ApiKey.objects.filter(pk=issued.key.pk).update(**values) == 1


def make_personal_key(user: User) -> IssuedKey:
    with tenant_context((), user_id=user.pk):
        return issue_personal_key(actor=actor_of_user(user), user=user, name="Laptop")


# Issuing


def test_a_key_is_shown_once_and_only_its_digest_is_stored(settings: Settings) -> None:
    installation = make_installation(environment=Environment.STAGING)
    admin = make_actor(Role.ADMIN, installation.tenant)

    with tenant_context(admin.tenant_ids):
        issued = issue_key(
            actor=admin, installation=installation, name="Backend", scopes=[Scope.CONFIG_READ, Scope.INGEST]
        )
        row = ApiKey.objects.values().get()
        entry = AuditEntry.objects.get(action="key.issued")

    assert issued.text.startswith(f"tgs_stg_app_{row['lookup']}_")
    assert row["digest"] == digest_of(issued.text, settings.STUDIO_API_KEY_PEPPER)
    assert row["scopes"] == ["config:read", "ingest"]
    assert row["created_by_label"] == admin.label
    secret = issued.text[21:]
    assert not any(secret in str(value) for value in (*row.values(), repr(issued), entry.details, entry.target_label))


@pytest.mark.parametrize("scopes", [[], [Scope.MANAGE], [Scope.INGEST, Scope.MANAGE]])
def test_an_app_key_has_at_least_one_scope_and_none_of_people(scopes: list[Scope]) -> None:
    installation = make_installation()
    admin = make_actor(Role.ADMIN)

    with tenant_context(ALL), pytest.raises(InvalidDocument) as refusal:
        issue_key(actor=admin, installation=installation, name="Backend", scopes=scopes)

    assert [error.path for error in refusal.value.errors] == ["scopes"]


def test_a_key_that_would_be_expired_from_the_start_is_refused() -> None:
    with pytest.raises(InvalidDocument) as refusal:
        make_key(make_installation(), name="", expires_at=timezone.now())

    assert [error.path for error in refusal.value.errors] == ["name", "expires_at"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.PRIVACY_OFFICER, Role.PUBLISHER])
def test_only_admins_issue_keys(role: Role) -> None:
    installation = make_installation()
    actor = make_actor(role, installation.tenant)

    with tenant_context(ALL):
        with pytest.raises(NotAllowed):
            issue_key(actor=actor, installation=installation, name="Backend", scopes=[Scope.INGEST])

        assert ApiKey.objects.count() == 0


def test_people_issue_personal_keys_for_themselves_alone_and_not_with_a_key() -> None:
    ada, bob = make_user("ada"), make_user("bob")
    by_key = actor_of_key(make_personal_key(ada).key)

    with tenant_context(ALL):
        for actor, user in [(actor_of_user(ada), bob), (by_key, ada)]:
            with pytest.raises(NotAllowed):
                issue_personal_key(actor=actor, user=user, name="Laptop")

        assert ApiKey.objects.count() == 1


# Authenticating


def test_a_good_key_opens_its_tenant_and_no_other() -> None:
    installation, _ = make_installation(make_tenant("acme")), make_tenant("globex")
    issued = make_key(installation)

    key = authenticate(issued.text)

    assert key == issued.key
    assert key.installation == installation
    assert [tenant.slug for tenant in Tenant.objects.all()] == ["acme"]


def test_a_good_personal_key_opens_its_owners_own_rows_and_no_tenant() -> None:
    ada = make_user("ada")
    make_tenant("acme")
    issued = make_personal_key(ada)

    key = authenticate(issued.text)

    assert (key, key.user) == (issued.key, ada)
    assert list(ApiKey.objects.all()) == [issued.key]
    assert Tenant.objects.count() == 0


def test_a_good_key_takes_five_queries_and_one_more_once_an_hour(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    issued = make_key(make_installation())

    with django_assert_num_queries(5):
        authenticate(issued.text)
    with django_assert_num_queries(4):
        key = authenticate(issued.text)
        assert key.installation is not None
        assert (key.installation.tenant.is_active, key.installation.app.slug != "") == (True, True)


@pytest.mark.parametrize("text", ["", "tgs_prd_app_AAAAAAAA_" + "0" * 49, "Bearer"])
def test_no_key_and_a_bad_checksum_are_refused_without_a_query(text: str) -> None:
    # Attacks 62 and 63.
    with CaptureQueriesContext(connection) as queries, pytest.raises(NotAuthenticated) as refusal:
        authenticate(text)

    assert len(queries) == 0
    assert refusal.value.reason in {"malformed", "checksum"}


def test_a_well_formed_key_that_nobody_issued_is_unknown() -> None:
    make_key(make_installation())

    assert refusal_of(mint(Environment.PRODUCTION, "app").text) == "unknown"


def test_a_known_lookup_with_another_secret_is_a_mismatch() -> None:
    issued, guess = make_key(make_installation()), mint(Environment.PRODUCTION, "app")
    set_key(issued, lookup=guess.lookup)

    assert refusal_of(guess.text) == "mismatch"


def test_a_key_of_the_other_kind_with_the_same_lookup_is_unknown() -> None:
    issued, guess = make_key(make_installation()), mint(Environment.PRODUCTION, "usr")
    set_key(issued, lookup=guess.lookup)

    assert refusal_of(guess.text) == "unknown"


def test_a_refused_key_opens_nothing() -> None:
    issued = make_key(make_installation())
    set_key(issued, revoked_at=timezone.now())

    with transaction.atomic():
        with pytest.raises(NotAuthenticated):
            authenticate(issued.text)

        assert (Tenant.objects.count(), Installation.objects.count()) == (0, 0)


def test_a_revoked_key_is_refused_by_the_very_next_call() -> None:
    # Attack 64.
    issued = make_key(make_installation())
    admin = make_actor(Role.ADMIN)
    authenticate(issued.text)

    with tenant_context(ALL):
        revoke_key(actor=admin, key=issued.key)
        revoke_key(actor=admin, key=issued.key)

        assert AuditEntry.objects.filter(action="key.revoked").count() == 1
    assert refusal_of(issued.text) == "revoked"


def test_an_expired_key_is_refused() -> None:
    # Attack 65.
    issued = make_key(make_installation(), expires_at=timezone.now() + timedelta(days=1))
    authenticate(issued.text)

    set_key(issued, expires_at=timezone.now())

    assert refusal_of(issued.text) == "expired"


def test_the_keys_of_an_inactive_tenant_or_person_are_refused() -> None:
    installation, ada = make_installation(), make_user("ada")
    app_key, personal_key = make_key(installation), make_personal_key(ada)
    with tenant_context(ALL):
        Tenant.objects.update(is_active=False)
        User.objects.update(is_active=False)

    assert refusal_of(app_key.text) == "inactive"
    assert refusal_of(personal_key.text) == "inactive"


def test_a_key_under_another_pepper_is_refused(settings: Settings) -> None:
    issued = make_key(make_installation())

    settings.STUDIO_API_KEY_PEPPER = "another"

    assert refusal_of(issued.text) == "mismatch"


def test_no_key_material_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    issued = make_key(make_installation())
    caplog.set_level(logging.DEBUG)
    connection.force_debug_cursor = True

    try:
        authenticate(issued.text)
        set_key(issued, digest="0" * 64)
        refusal_of(issued.text)
    finally:
        connection.force_debug_cursor = False

    assert issued.text[21:] not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_authentication_outside_a_transaction_is_refused() -> None:
    issued = make_key(make_installation())

    with pytest.raises(TransactionManagementError):
        authenticate(issued.text)


# Last use


def test_the_last_use_moves_at_most_once_an_hour() -> None:
    issued = make_key(make_installation())
    recently, long_ago = timezone.now() - timedelta(minutes=59), timezone.now() - timedelta(minutes=61)

    set_key(issued, last_used_at=recently)
    assert authenticate(issued.text).last_used_at == recently

    set_key(issued, last_used_at=long_ago)
    noted = authenticate(issued.text).last_used_at
    assert noted is not None
    assert noted > recently
    with tenant_context(ALL):
        assert ApiKey.objects.get().last_used_at == noted


@pytest.mark.django_db(transaction=True)
def test_calls_do_not_wait_for_each_other_to_note_the_use() -> None:
    issued = make_key(make_installation())

    @transaction.atomic
    def call() -> str:
        with connection.cursor() as cursor:
            # If it does wait, it waits for this very test: fail rather than hang.
            cursor.execute("SET LOCAL lock_timeout = '10s'")
        return authenticate(issued.text).lookup

    with transaction.atomic():
        authenticate(issued.text)
        # The first call's transaction is still open and holds the row.
        assert run_together(call, call) == [issued.key.lookup] * 2


# Rotating


def test_after_a_rotation_both_keys_work_until_the_overlap_is_over() -> None:
    old = make_key(make_installation(), Scope.CONFIG_READ)
    admin = make_actor(Role.ADMIN)
    before = timezone.now()

    with tenant_context(ALL):
        new = rotate_key(actor=admin, key=old.key)

    assert authenticate(old.text).expires_at == old.key.expires_at
    assert authenticate(new.text).scopes == ["config:read"]
    assert old.key.expires_at is not None
    assert timedelta(0) <= old.key.expires_at - (before + timedelta(days=1)) < timedelta(minutes=1)


def test_a_rotation_never_makes_a_key_live_longer() -> None:
    ends_at = timezone.now() + timedelta(hours=1)
    old = make_key(make_installation(), expires_at=ends_at)

    with tenant_context(ALL):
        rotate_key(actor=make_actor(Role.ADMIN), key=old.key)

    assert old.key.expires_at == ends_at


def test_a_rotation_without_overlap_ends_the_old_key_at_once() -> None:
    ada = make_user("ada")
    old = make_personal_key(ada)

    with tenant_context((), user_id=ada.pk):
        new = rotate_key(actor=actor_of_user(ada), key=old.key, overlap=timedelta(0))

    assert refusal_of(old.text) == "expired"
    assert authenticate(new.text).user == ada


def test_a_revoked_key_cannot_be_rotated() -> None:
    old = make_key(make_installation())
    set_key(old, revoked_at=timezone.now())

    with tenant_context(ALL):
        with pytest.raises(Conflict):
            rotate_key(actor=make_actor(Role.ADMIN), key=old.key)

        assert ApiKey.objects.count() == 1


# Revoking


def test_a_personal_key_is_revoked_by_its_owner_or_an_admin_of_the_workspace() -> None:
    ada, acme = make_user("ada"), make_tenant("acme")
    first, second = make_personal_key(ada), make_personal_key(ada)

    with tenant_context(ALL):
        with pytest.raises(NotAllowed):
            revoke_key(actor=make_actor(Role.ADMIN, acme), key=first.key)
        revoke_key(actor=make_actor(Role.ADMIN), key=first.key)
    with tenant_context((), user_id=ada.pk):
        revoke_key(actor=actor_of_user(ada), key=second.key)

    assert (refusal_of(first.text), refusal_of(second.text)) == ("revoked", "revoked")


def test_an_admin_of_another_tenant_revokes_nothing() -> None:
    issued = make_key(make_installation())
    stranger = make_actor(Role.ADMIN, make_tenant())

    with tenant_context(ALL), pytest.raises(NotAllowed):
        revoke_key(actor=stranger, key=issued.key)

    assert authenticate(issued.text) == issued.key
