"""A short run of what ``benchmarks/balance.py`` does for a minute."""

import json
import subprocess
import sys

from django.conf import settings


def test_kills_lose_nothing_and_count_nothing_twice() -> None:
    command = [sys.executable, "benchmarks/balance.py", "--seconds", "10"]

    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True)

    # The seed is in the output, for doing it again.
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["acknowledged"] > 0, done.stdout
    assert (result["lost"], result["duplicated"], result["unbalanced"]) == (0, 0, 0), done.stdout
