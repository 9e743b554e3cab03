"""Receipts: the chain of each tenant, and the file that an outsider checks."""

import json
from typing import Any, Final

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse

from studio.pages.downloads import as_file
from studio.pages.queries import page_number, without
from studio.pages.shell import render_page
from studio.people import actor_of
from telemetry.models import Receipt, ReceiptKind
from telemetry.selectors.retention import receipts
from telemetry.services.receipts import export_receipts
from tenants.actors import require
from tenants.selectors import tenant_by_slug, tenants_in_context

__all__ = ["receipts_file", "receipts_page"]

PAGE_SIZE: Final = 50
MOST_TENANTS: Final = 200
TONES: Final = {
    "purge": "red",
    "archive": "blue",
    "archive_expired": "grey",
    "erasure": "violet",
    "rescrub": "amber",
    "hold_placed": "green",
    "hold_lifted": "grey",
}


def receipts_page(request: HttpRequest) -> HttpResponse:
    """The receipts of all tenants or of one, the newest first."""
    tenants = list(tenants_in_context()[:MOST_TENANTS])
    tenant, kind = request.GET.get("tenant", "")[:128], request.GET.get("kind", "")
    tenant = tenant if any(each.slug == tenant for each in tenants) else ""
    kind = kind if kind in ReceiptKind.values else ""
    page = Paginator(receipts(tenant=tenant, kind=kind), PAGE_SIZE).get_page(page_number(request.GET.get("page")))
    context: dict[str, Any] = {
        "page": page,
        "receipts": [
            (row, TONES[row.kind], json.dumps(row.facts, indent=2, sort_keys=True, ensure_ascii=False))
            for row in page.object_list
        ],
        "query": without(request.GET, "page").urlencode(),
        "tenants": tenants,
        "tenant": tenant,
        "kind": kind,
        "kinds": ReceiptKind.choices,
    }
    return render_page(request, "studio/pages/receipts.html", noun=Receipt, title="Receipts", page_title="", **context)


def receipts_file(request: HttpRequest, slug: str) -> HttpResponse:
    """The tenant's receipts as the file that ``studio verify-receipts`` checks."""
    tenant = tenant_by_slug(slug)
    require(actor_of(request), "view", tenant.pk)
    return as_file(export_receipts(tenant), f"receipts-{tenant.slug}", "json")
