"""Documents as files."""

from django.http import HttpResponse

__all__ = ["as_file"]

CONTENT_TYPES = {"yaml": "application/yaml", "json": "application/json", "csv": "text/csv"}


def as_file(body: bytes | str, stem: str, extension: str) -> HttpResponse:
    """A download; ``stem`` is made of our own names, which hold no quotes and no line breaks."""
    response = HttpResponse(body, content_type=f"{CONTENT_TYPES[extension]}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{stem}.{extension}"'
    return response
