"""What may stand in an address: anything else is no address of ours, and never reaches the database."""

from django.urls import register_converter
from django.urls.converters import StringConverter

__all__ = ["NumberConverter", "SlugConverter", "SpecNameConverter"]


class SpecNameConverter(StringConverter):
    """The name of a spec, as the core spells it."""

    regex = r"[a-z][a-z0-9_.-]{0,127}"


class SlugConverter(StringConverter):
    """The slug of a tenant or app."""

    regex = r"[a-z0-9][a-z0-9_.:-]{0,127}"


class NumberConverter:
    """A version or number, from 1; few enough digits for any column."""

    regex = r"[1-9][0-9]{0,8}"

    def to_python(self, value: str) -> int:
        """The number."""
        return int(value)

    def to_url(self, value: int) -> str:
        """Its digits."""
        return str(value)


class BigNumberConverter(NumberConverter):
    """The number of a row of which there may be billions."""

    regex = r"[1-9][0-9]{0,17}"


register_converter(SpecNameConverter, "spec_name")
register_converter(SlugConverter, "tenant_slug")
register_converter(NumberConverter, "number")
register_converter(BigNumberConverter, "big_number")
