"""Workers of their own process on the test's database, to be killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from django.db import connection

__all__ = ["LEASE_SECONDS", "worker"]

# What a killed worker had comes back after so long. More than a call takes on the busiest machine: a worker that lives
# and loses its lease would send again, too.
LEASE_SECONDS = 3


@contextmanager
def worker(program: str, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """The program runs, on the test's database; it has said ``ready`` when the block begins, and is gone at its end."""
    database = connection.settings_dict
    url = f"postgresql://{quote(database['USER'])}@/{database['NAME']}?host={quote(database['HOST'], safe='')}"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "studio.settings.test",
        "STUDIO_OUTGOING_ALLOW": "127.0.0.1",
    }
    command = [sys.executable, "-c", program, *map(str, arguments)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()
