"""Fields that the models of this package share."""

import json
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

__all__ = ["DocumentField"]


class DocumentField(models.JSONField):
    """A fragment of a document, stored as its JSON text, so that it comes back exactly as it went in.

    ``jsonb`` sorts keys, rewrites numbers (``1e21`` becomes an integer) and refuses ``\\u0000``; a frozen document
    must not change because its draft went through rows. Nothing queries inside these fragments.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:  # noqa: ARG002 - Django's signature
        """Plain text, see the class."""
        return "text"

    def get_db_prep_value(
        self,
        value: Any,
        connection: BaseDatabaseWrapper,  # noqa: ARG002 - Django's signature
        prepared: bool = False,  # noqa: ARG002 - Django's signature
    ) -> str | None:
        """The JSON text; ``None`` stays the null of SQL."""
        return None if value is None else json.dumps(value, ensure_ascii=False, allow_nan=False)
