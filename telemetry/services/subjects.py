"""The pseudonyms of one person at one tenant: what an officer's word for somebody becomes before it is looked for."""

from typing import Final

from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.pseudonyms import is_pseudonym, pseudonymiser_for
from tenants.models import Tenant
from tenants.pseudonym_key import installation_pseudonym_key

__all__ = ["EPOCHS_AHEAD", "LONGEST_SUBJECT", "subject_pseudonyms"]

LONGEST_SUBJECT: Final = 512
# A hold outlives renewals of the key; the raw id is not kept, so the pseudonyms to come are made at once.
EPOCHS_AHEAD: Final = 12
# Nobody is called that; who types it means everybody.
_WILDCARDS: Final = frozenset("%*?_.")


def subject_pseudonyms(tenant: Tenant, subject: str, *, ahead: int = 0) -> list[str]:
    """The pseudonyms of this raw id under every epoch of the tenant's key, the first epoch first; no query.

    ``ahead`` adds those of epochs to come. A text that is written like a pseudonym stands for itself alone. Raises
    ``InvalidDocument`` for what is empty, too long, or a wildcard; the message does not repeat it.
    """
    text = subject.strip()
    if not text or set(text) <= _WILDCARDS or len(text) > LONGEST_SUBJECT:
        message = f"must be one id exactly as the app sends it, of 1 to {LONGEST_SUBJECT} characters; no wildcards"
        raise InvalidDocument([FieldError("invalid_subject", "subject", message)], what="subject")
    if is_pseudonym(text):
        return [text]
    epochs = range(1, tenant.pseudonym_epoch + ahead + 1)
    return [pseudonymiser_for(installation_pseudonym_key(tenant, epoch=epoch)).pseudonym(text) for epoch in epochs]
