"""``manage.py up``: the studio on this machine, with one command."""

import os
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from studio.embedded import EmbeddedServerFailed
from studio.local_data import DataDirectoryFailed, LocalData, open_data_directory
from studio.local_studio import LocalStudioFailed, Stopped, ensure_port_is_free, run_studio, stop_on_signals
from studio.settings import env

WELCOME = """
Telemetry Studio is running. Ctrl-C stops it.

  Open      http://127.0.0.1:{port}/studio/
  Sign in   {login}
  API key   {api_key}
  Data      {directory}

curl -i -H "Authorization: Bearer {key}" http://127.0.0.1:{port}/api/v1/config
"""
NO_DEMO = "that of an installation, see API keys in the studio"


class Command(BaseCommand):
    """Runs until Ctrl-C. Exit code 0 after a stop on request, 1 after a failure, 2 if the port is not free."""

    help = (
        "Runs the whole studio on this machine: database, broker, migrations, demo workspace, web, worker, beat. "
        "STUDIO_PORT (8000) and STUDIO_DATA_DIR (.studio) move it; DATABASE_URL and REDIS_URL name real servers."
    )
    # Its children check themselves, with the secrets and servers that this command gives them.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """The studio has run and everything it started is gone."""
        port = env.integer("STUDIO_PORT", 8000, minimum=1, maximum=65535)
        directory = Path(env.text("STUDIO_DATA_DIR", str(settings.BASE_DIR / ".studio"))).expanduser()
        try:
            ensure_port_is_free(port)
        except LocalStudioFailed as error:
            raise CommandError(str(error), returncode=2) from None
        os.umask(0o077)  # everything in the data directory is this user's alone
        try:
            with stop_on_signals() as raise_if_stopped, open_data_directory(directory) as data:
                welcome = partial(self._welcome, data, port)
                run_studio(data, port, say=self._say, welcome=welcome, raise_if_stopped=raise_if_stopped)
        except Stopped:
            self._say("Stopped.")
        except (LocalStudioFailed, EmbeddedServerFailed, DataDirectoryFailed) as error:
            raise CommandError(str(error)) from None

    def _welcome(self, data: LocalData, port: int) -> None:
        found = data.read_credentials()
        login = f"{found.username} / {found.password}" if found else "with your own account"
        api_key = f"{found.api_key}  ({found.key_owner})" if found else NO_DEMO
        key = found.api_key if found else "YOUR_API_KEY"
        self._say(WELCOME.format(port=port, login=login, api_key=api_key, key=key, directory=data.directory))

    def _say(self, message: str) -> None:
        self.stdout.write(message)
        self.stdout.flush()
