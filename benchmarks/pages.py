"""What every page of the studio costs the server, in a workspace ten times as large as the demo.

``python benchmarks/pages.py`` starts a PostgreSQL of its own and fills it: ten demo workspaces in one, beside 100
specs of 100 events each. Then it goes through the studio as the administrator does, from the side bar along every link,
to one page of each kind; each is asked for several times, in turn with the plainest page of the same shell. Measured
are the CPU seconds of this process, which is the server here, and of its connection in PostgreSQL, whatever else the
machine does; and the queries of one answer.

The last line is one JSON object. ``slowest_page`` and ``catalog_search`` are ratios to the plain page, ``most_queries``
is a count, and the milliseconds are those of the slowest page and the slowest search of the catalog. Goals: 300 ms and
12 queries for every page, 200 ms for searches of the catalog.
"""

import json
import os
import re
import sys
import time
from collections.abc import Callable
from html import unescape
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

# As a script, Python looks for imports in this directory only, and the project is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.servers import set_up_django, temporary_servers

ROUNDS = 5
GOAL_MILLISECONDS, GOAL_SEARCH_MILLISECONDS, GOAL_QUERIES = 300, 200, 12
# In the shell, with a form of three fields.
PLAIN = "/studio/password_change/"
SEARCHES = (
    "/studio/catalog/?q=order",
    "/studio/catalog/?q=customer+thing&privacy=pii",
    "/studio/catalog/?q=area7&order=volume",
    "/studio/catalog/?tag=tag3&order=-last_seen",
    "/studio/catalog/?page=100",
)
LINK = re.compile(r'href="(/studio/[^"#]*)"')
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Page(NamedTuple):
    """What one page costs: CPU milliseconds of server and database together, and queries."""

    address: str
    milliseconds: float
    queries: int


class Meter:
    """Asks for pages and measures what they cost."""

    def __init__(self, client: Any) -> None:
        from django.db import connection

        self._client = client
        self._connection = connection
        self.queries = 0

    def get(self, address: str) -> Any:
        """The answer, and ``queries`` is how many statements it took."""
        self.queries = 0
        with self._connection.execute_wrapper(self._count):
            return self._client.get(address, HTTP_HOST="127.0.0.1")

    def milliseconds(self, address: str) -> float:
        """CPU time of one answer, here and in the database."""
        begin = self._spent()
        self.get(address)
        return (self._spent() - begin) * 1e3

    def _count(self, execute: Callable[..., Any], sql: Any, *rest: Any) -> Any:
        # Marks within a transaction ask for nothing.
        self.queries += not str(sql).startswith(("SAVEPOINT", "RELEASE SAVEPOINT"))
        return execute(sql, *rest)

    def _spent(self) -> float:
        self._connection.ensure_connection()
        return time.process_time() + cpu_of(self._connection.connection.info.backend_pid)


def cpu_of(pid: int) -> float:
    """CPU seconds of a process, exact to the nanosecond where the kernel tells."""
    exact = Path(f"/proc/{pid}/schedstat")
    if exact.exists():
        return int(exact.read_text().split()[0]) / 1e9
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def kinds_of_pages(meter: Meter) -> dict[str, str]:
    """One address of each kind of page that links lead to, by the name of the kind."""
    found: dict[str, str] = {}
    waiting = ["/studio/"]
    while waiting:
        address = waiting.pop(0)
        kind = kind_of(address)
        if kind is None or kind in found:
            continue
        answer = meter.get(address)
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            continue
        found[kind] = address
        waiting += [unescape(link) for link in LINK.findall(answer.content.decode())]
    return found


def kind_of(address: str) -> str | None:
    """What the studio calls pages like this one; ``None`` for what is no page to look at."""
    from django.urls import Resolver404, resolve

    path, _, query = address.partition("?")
    try:
        match = resolve(path)
    except Resolver404:
        return None
    if match.url_name in ("logout", "jsi18n", "autocomplete"):
        return None
    # A page with a search is the page; one that needs its query to say what it is about is a kind of its own.
    return f"{match.route} {query.partition('=')[0]}" if query.startswith("event=") else match.route


def measure(meter: Meter, addresses: list[str]) -> tuple[list[Page], float]:
    """Each page, the dearest first, and the milliseconds of the plain page in the same rounds."""
    spent: dict[str, list[float]] = {address: [] for address in addresses}
    plain = []
    for _ in range(ROUNDS):
        for address in addresses:
            spent[address].append(meter.milliseconds(address))
            plain.append(meter.milliseconds(PLAIN))
    pages = []
    for address in addresses:
        meter.get(address)
        pages.append(Page(address, median(spent[address]), meter.queries))
    return sorted(pages, key=lambda page: -page.milliseconds), median(plain)


def signed_in() -> Meter:
    """Pages as they are in a browser in which the demo's administrator is signed in."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client()
    client.force_login(get_user_model().objects.get(username="admin"))
    return Meter(client)


def main() -> None:
    """Measure and print."""
    with temporary_servers() as environment:
        set_up_django(environment)
        from benchmarks.pages_workspace import make_large_workspace

        make_large_workspace()
        meter = signed_in()
        kinds = kinds_of_pages(meter)
        pages, plain = measure(meter, [*kinds.values()])
        searches, _ = measure(meter, [*SEARCHES])
    for page in (*pages, *searches):
        is_search = page in searches
        is_slow = page.milliseconds > (GOAL_SEARCH_MILLISECONDS if is_search else GOAL_MILLISECONDS)
        mark = " slow" * is_slow + " many" * (page.queries > GOAL_QUERIES)
        print(f"{page.milliseconds:>8.1f} ms {page.queries:>4} queries  {page.address}{mark}")
    print(f"{len(kinds)} kinds of pages; the plain one takes {plain:.1f} ms")
    ratios = {
        "slowest_page": round(pages[0].milliseconds / plain, 2),
        "catalog_search": round(searches[0].milliseconds / plain, 2),
        "slowest_page_ms": round(pages[0].milliseconds, 1),
        "catalog_search_ms": round(searches[0].milliseconds, 1),
        "most_queries": max(page.queries for page in (*pages, *searches)),
        "pages": len(pages),
    }
    print(json.dumps(ratios))


if __name__ == "__main__":
    main()
