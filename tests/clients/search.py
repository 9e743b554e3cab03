"""Looking for a text everywhere that the studio keeps or says anything: as it is, and in usual encodings."""

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql
from redis import Redis

__all__ = ["everything_in_database", "everything_in_valkey", "places_with"]

TABLES = """
SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = 'public' AND relkind IN ('r', 'p', 'm') ORDER BY relname
"""


def places_with(text: str, contents: dict[str, bytes]) -> list[str]:
    """The names of the contents that have the text in them, in either case or encoded as URL, hex or base64."""
    forms = [form.lower() for form in (text.encode(), quote(text).encode(), text.encode().hex().encode())]
    encoded = list(_in_base64(text))
    return [
        name
        for name, content in contents.items()
        if any(form in content.lower() for form in forms) or any(form in content for form in encoded)
    ]


def everything_in_database(owner: psycopg.Connection[Any]) -> dict[str, bytes]:
    """Every row of every table, as text, by the table's name."""
    found = {}
    for (table,) in owner.execute(TABLES).fetchall():
        rows = owner.execute(sql.SQL("SELECT each::text FROM {} AS each").format(sql.Identifier(table))).fetchall()
        found[table] = "\n".join(row for (row,) in rows).encode()
    return found


def everything_in_valkey(client: Redis) -> dict[str, bytes]:
    """Every key and all that it holds, by the key."""
    found = {}
    for key in client.keys("*"):
        name = key if isinstance(key, str) else key.decode()
        found[name] = name.encode() + b"\n" + repr(_held(client, name)).encode()
    return found


def _held(client: Redis, key: str) -> Any:
    match client.type(key):
        case b"stream":
            return client.xrange(key)
        case b"hash":
            return client.hgetall(key)
        case b"list":
            return client.lrange(key, 0, -1)
        case b"set":
            return client.smembers(key)
        case b"zset":
            return client.zrange(key, 0, -1)
        case _:
            return client.get(key)


def _in_base64(text: str) -> Iterator[bytes]:
    """What base64 makes of the text wherever it begins, without the letters that its neighbours have a part in."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + text.encode())
        yield encoded[(before * 4 + 2) // 3 : len(encoded) - 4]
