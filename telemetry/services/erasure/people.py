"""From a person's ids to their pseudonyms at a tenant: the one place that sees the ids, and keeps nothing of them."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

from telemetry.core.errors import FieldError
from telemetry.core.mentions import folded, is_told_apart
from telemetry.core.pseudonyms import is_pseudonym, pseudonymiser_for
from telemetry.core.subjects import SubjectMatcher, subject_id_errors
from telemetry.services.subjects import subject_pseudonyms
from tenants.models import Tenant
from tenants.pseudonym_key import installation_pseudonym_key
from tenants.services.checks import refuse_errors

__all__ = [
    "EPOCHS_AHEAD",
    "MOST_IDS",
    "Person",
    "are_found_in_texts",
    "checked_ids",
    "digest_of",
    "matcher_of",
    "month_after",
]

# A user, and their devices and sessions.
MOST_IDS: Final = 20
# What another studio tells of one person.
MOST_PSEUDONYMS: Final = 1_000
# Keys that a tenant does not have yet: once it renews its key, nobody could tell the person's new pseudonyms any more.
# Renewed each month, they last for two years.
EPOCHS_AHEAD: Final = 24
_REFERENCE: Final = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_.:/#-]{0,63})?\Z").match


class Person(NamedTuple):
    """A person at one tenant: ``pseudonyms`` under all keys up to now, ``ahead`` under those still to come.

    ``digest`` is SHA-256 of the salt and the pseudonyms up to now: with the studio's key and the id one can tell that a
    receipt is about somebody, and without either nothing.
    """

    pseudonyms: Sequence[str]
    ahead: Sequence[str]
    probe_epoch: int
    salt: str
    digest: str

    @classmethod
    def at(cls, tenant: Tenant, ids: Sequence[str], pseudonyms: Sequence[str] = ()) -> "Person":
        """The person with these ids and pseudonyms, as they come out of ``checked_ids``; no query.

        An e-mail address is theirs in lower case, too.
        """
        spelled = dict.fromkeys(each for text in ids for each in (text, folded(text)))
        named = [subject_pseudonyms(tenant, text, ahead=EPOCHS_AHEAD) for text in spelled]
        present = tenant.pseudonym_epoch
        known = [*(each for texts in named for each in texts[:present]), *pseudonyms]
        salt = secrets.token_hex(16)
        return cls(
            pseudonyms=known,
            ahead=[each for texts in named for each in texts[present:]],
            probe_epoch=present,
            salt=salt,
            digest=digest_of(salt, known),
        )


def digest_of(salt: str, pseudonyms: Sequence[str]) -> str:
    """The salted hash by which a receipt names a person, in hex."""
    return hashlib.sha256("\n".join([salt, *sorted(pseudonyms)]).encode()).hexdigest()


def checked_ids(ids: Sequence[str], pseudonyms: Sequence[str] = (), *, reference: str = "") -> list[str]:
    """The ids without spaces around them, each once; raises ``InvalidDocument``, which never repeats one."""
    given = [text.strip() for text in ids]
    errors = subject_id_errors(given, "subjects")
    if not given and not pseudonyms:
        errors.append(FieldError("empty", "subjects", "expected the id of a user, session or device"))
    if len(given) > MOST_IDS:
        errors.append(FieldError("too_long", "subjects", f"expected at most {MOST_IDS} ids of one person"))
    if len(pseudonyms) > MOST_PSEUDONYMS:
        errors.append(FieldError("too_long", "pseudonyms", f"expected at most {MOST_PSEUDONYMS} pseudonyms"))
    errors += [
        FieldError("bad_form", f"pseudonyms[{place}]", "expected a pseudonym, such as p1_ and 22 letters and digits")
        for place, text in enumerate(pseudonyms)
        if not is_pseudonym(text)
    ]
    errors += _reference_errors(reference, given)
    refuse_errors("request", *errors)
    return list(dict.fromkeys(given))


def are_found_in_texts(ids: Sequence[str]) -> bool:
    """Whether every one of the ids is looked for inside longer texts as well; short ones are not."""
    return all(is_told_apart(text.strip()) for text in ids)


def matcher_of(tenant: Tenant, pseudonyms: Sequence[str], probe_epoch: int) -> SubjectMatcher:
    """Finds the person with these pseudonyms, one of which is under the key of ``probe_epoch``; no query."""
    return SubjectMatcher(pseudonyms, pseudonymiser_for(installation_pseudonym_key(tenant, epoch=probe_epoch)))


def month_after(day: date) -> date:
    """A month later, or that month's last day. Source: Regulation (EU) 2016/679, article 12(3): within one month."""
    year, month = (day.year, day.month + 1) if day.month < 12 else (day.year + 1, 1)
    for last in range(day.day, 27, -1):
        try:
            return date(year, month, last)
        except ValueError:
            continue
    return date(year, month, day.day)


def _reference_errors(reference: str, ids: Sequence[str]) -> list[FieldError]:
    """A reference is a number of somebody's tickets: no place for a name, and least of all for the id itself."""
    if not _REFERENCE(reference.strip()):
        message = "expected at most 64 of A-Z, a-z, 0-9 and _ . : / # -, such as DSR-2041"
        return [FieldError("bad_form", "reference", message)]
    if any(text and text.casefold() in reference.casefold() for text in ids):
        return [FieldError("personal", "reference", "must not hold the person's id: it is stored and shown")]
    return []
