"""Content that only the studio can read: encrypted, and bound to its tenant and purpose."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

__all__ = ["BrokenSeal", "Sealer"]

_SEPARATOR: Final = b"\0"


class BrokenSeal(Exception):
    """The content cannot be read: another key, tenant or purpose, or it was changed. Says nothing of the content."""


class Sealer:
    """Seals under the first of the ``secrets`` and opens under any of them, so that a new one can be put before.

    A secret is any text of enough randomness; the key is its SHA-256 under the purpose. Tenant and purpose stand inside
    the sealed content: a row that somebody moved to another tenant or another column does not open.
    Source: https://github.com/fernet/spec/blob/master/Spec.md (AES-128-CBC with HMAC-SHA-256).
    """

    def __init__(self, secrets: Sequence[str], *, purpose: str) -> None:
        """``ValueError`` without a secret."""
        if not secrets:
            raise ValueError("a sealer needs at least one secret")
        self._purpose = purpose.encode()
        self._keys = MultiFernet([Fernet(self._key(secret)) for secret in secrets])

    def seal(self, tenant_id: int, content: bytes) -> bytes:
        """The content, readable by ``open`` alone."""
        return self._keys.encrypt(self._label(tenant_id) + content)

    def open(self, tenant_id: int, sealed: bytes) -> bytes:
        """The content that was sealed for this tenant; raises ``BrokenSeal``."""
        try:
            content = self._keys.decrypt(sealed)
        except InvalidToken:
            raise BrokenSeal("the content cannot be opened") from None
        label = self._label(tenant_id)
        if not content.startswith(label):
            raise BrokenSeal("the content is not this tenant's")
        return content[len(label) :]

    def _label(self, tenant_id: int) -> bytes:
        return self._purpose + _SEPARATOR + str(int(tenant_id)).encode() + _SEPARATOR

    def _key(self, secret: str) -> bytes:
        return base64.urlsafe_b64encode(hmac.digest(secret.encode(), self._purpose, hashlib.sha256))
