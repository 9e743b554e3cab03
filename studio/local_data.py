"""The data directory of a studio that runs on this machine: one owner at a time, and secrets that stay."""

import fcntl
import json
import os
import secrets
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

__all__ = ["Credentials", "DataDirectoryFailed", "LocalData", "open_data_directory"]

SECRETS = (
    "SECRET_KEY",
    "STUDIO_API_KEY_PEPPER",
    "STUDIO_PSEUDONYM_KEY",
    "STUDIO_QUARANTINE_KEYS",
    "STUDIO_CREDENTIAL_KEYS",
    "STUDIO_RECEIPT_KEYS",
)


class DataDirectoryFailed(Exception):
    """The directory cannot be used; the message says why and what to do."""


class Credentials(NamedTuple):
    """What a newcomer needs: a login, its password, and an API key of the demo workspace with its owner's name."""

    username: str
    password: str
    api_key: str
    key_owner: str


class LocalData(NamedTuple):
    """Where things are in a data directory that this process has locked."""

    directory: Path

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    @property
    def credentials(self) -> Path:
        return self.directory / "credentials.json"

    @property
    def environment(self) -> Path:
        return self.directory / "environment"

    def secrets(self) -> dict[str, str]:
        """The studio's secrets, made on first use and kept, readable by the owner alone."""
        file = self.directory / "secrets.json"
        known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        missing = [name for name in SECRETS if not known.get(name)]
        if missing:
            known |= {name: secrets.token_urlsafe(48) for name in missing}
            _write_private(file, json.dumps(known, indent=2) + "\n")
        return known

    def read_credentials(self) -> Credentials | None:
        """What loading the demo workspace left for people; None if it left nothing."""
        if not self.credentials.exists():
            return None
        found = json.loads(self.credentials.read_text())
        owner, api_key = next(iter(found["api_keys"].items()))
        return Credentials(found["username"], found["password"], api_key, owner)

    @contextmanager
    def published_environment(self, variables: Mapping[str, str]) -> Iterator[None]:
        """Within the block a shell that reads the file ``environment`` talks to the same servers as this studio."""
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in sorted(variables.items())]
        _write_private(self.environment, "".join(lines))
        try:
            yield
        finally:
            self.environment.unlink(missing_ok=True)


@contextmanager
def open_data_directory(directory: Path) -> Iterator[LocalData]:
    """The directory exists and is this process's alone within the block. Raises ``DataDirectoryFailed``."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        data = LocalData(directory.resolve())
        data.logs.mkdir(exist_ok=True)
        lock = (data.directory / "lock").open("a+")
    except OSError as error:
        raise DataDirectoryFailed(f"{directory} cannot be used ({error.strerror}). Set STUDIO_DATA_DIR.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise DataDirectoryFailed(
                f"A studio already runs on {directory} (process {lock.read().strip() or 'unknown'}). "
                "Stop it, or set STUDIO_DATA_DIR to another directory."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield data


def _write_private(file: Path, text: str) -> None:
    """The file holds ``text`` as a whole or stays as it was, and only its owner can read it."""
    unfinished = file.with_name(file.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    unfinished.replace(file)
