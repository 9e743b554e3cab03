"""Accounts of people: who can sign in. What they may do then is a matter of their roles, see ``people``.

Superusers are made on the command line and change themselves only: nobody becomes one, or takes one over, from here.
"""

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from telemetry.core.errors import Conflict, FieldError, NotAllowed
from tenants.actors import Actor, require
from tenants.services import audit
from tenants.services.checks import conflict_if_taken, line_error, refuse_errors

__all__ = ["create_account", "save_account", "set_password"]

# Django's columns.
NAME_LENGTH = 150
EMAIL_LENGTH = 254


@transaction.atomic
def create_account(
    *, actor: Actor, username: str, password: str, email: str = "", first_name: str = "", last_name: str = ""
) -> User:
    """A new person, who can sign in and has no role yet.

    Needs ``people.manage`` in the workspace. Raises ``InvalidDocument`` for a bad name, address or password, and
    ``Conflict`` if somebody signs in with this name already.
    """
    require(actor, "people.manage")
    user = User(username=username, email=email, first_name=first_name, last_name=last_name)
    refuse_errors("account", _username_error(username), *_text_errors(user), _password_error(password, user))
    user.set_password(password)
    with conflict_if_taken("somebody signs in with this name already"):
        user.save(force_insert=True)
    audit.record(actor=actor, action="account.created", target=user)
    return user


@transaction.atomic
def save_account(*, actor: Actor, user: User, email: str, first_name: str, last_name: str, is_active: bool) -> User:
    """The person has these names and this address, and can sign in only while active; sessions end at once otherwise.

    Needs ``people.manage`` in the workspace. Raises ``InvalidDocument`` for a bad name or address, ``Conflict`` when
    people would lock themselves out.
    """
    require(actor, "people.manage")
    _refuse_superuser(actor, user)
    if not is_active and actor.user_id == user.pk:
        raise Conflict("you cannot deactivate your own account")
    switched = is_active != user.is_active
    user.email, user.first_name, user.last_name, user.is_active = email, first_name, last_name, is_active
    refuse_errors("account", *_text_errors(user))
    user.save(update_fields=["email", "first_name", "last_name", "is_active"])
    action = "account.saved"
    if switched:
        action = "account.activated" if is_active else "account.deactivated"
    audit.record(actor=actor, action=action, target=user)
    return user


@transaction.atomic
def set_password(*, actor: Actor, user: User, password: str) -> None:
    """The person signs in with this password; every session of theirs ends.

    Needs ``people.manage`` in the workspace. Raises ``InvalidDocument`` for a password that is easy to guess.
    """
    require(actor, "people.manage")
    _refuse_superuser(actor, user)
    refuse_errors("account", _password_error(password, user))
    user.set_password(password)
    user.save(update_fields=["password"])
    audit.record(actor=actor, action="account.password.set", target=user)


def _refuse_superuser(actor: Actor, user: User) -> None:
    if user.is_superuser and actor.user_id != user.pk:
        raise NotAllowed("a superuser's account is changed by its owner only", ability="people.manage")


def _username_error(username: str) -> FieldError | None:
    found = line_error("username", username, maximum=NAME_LENGTH)
    if found is None:
        try:
            UnicodeUsernameValidator()(username)
        except ValidationError:
            return FieldError("bad_form", "username", "expected letters, digits and @ . + - _ only")
    return found


def _text_errors(user: User) -> list[FieldError | None]:
    texts = {"first_name": user.first_name, "last_name": user.last_name}
    errors = [line_error(path, text, maximum=NAME_LENGTH) for path, text in texts.items() if text]
    return [*errors, _email_error(user.email) if user.email else None]


def _email_error(email: str) -> FieldError | None:
    try:
        validate_email(email)
    except ValidationError:
        return FieldError("bad_form", "email", "expected an e-mail address")
    return line_error("email", email, maximum=EMAIL_LENGTH)


def _password_error(password: str, user: User) -> FieldError | None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        return FieldError("bad_password", "password", " ".join(error.messages))
    return None
