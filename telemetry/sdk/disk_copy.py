"""The last good config on disk, so that an app can start while the studio is down."""

import hashlib
import hmac
import math
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["DiskCopy"]

_MAGIC = b"telemetry-config-1"
# A seal in hex and the magic word; the body behind it is bounded like an answer from the network.
_HEADER_BYTES = len(_MAGIC) + 1 + hashlib.sha256().digest_size * 2 + 1


class DiskCopy:
    """One file that holds a config document; never an event, never the pseudonym key, never the API key.

    The first line seals the body with HMAC-SHA256 under the API key. A file that is damaged, was written for another
    studio or another key, or by somebody without the key, does not match its seal and counts as absent.
    """

    def __init__(self, path: str | os.PathLike[str], *, url: str, api_key: str, maximum_bytes: int) -> None:
        self._path = Path(path)
        self._url = url
        self._secret = api_key.encode()
        self._maximum_bytes = maximum_bytes

    def read(self) -> bytes | None:
        """Return the document of the last ``write``, or ``None`` when there is no intact file of this installation."""
        try:
            with self._path.open("rb") as file:
                # A longer file comes cut, and so does not match its seal.
                content = file.read(_HEADER_BYTES + self._maximum_bytes)
        except OSError:
            return None
        header, body = content[:_HEADER_BYTES], content[_HEADER_BYTES:]
        return body if hmac.compare_digest(header, self._header(body)) else None

    def write(self, document: bytes) -> None:
        """Replace the file in one step, readable by its owner only; raises OSError, and leaves the old file then."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp creates with mode 0600; the same folder, because a rename is atomic within one file system only.
        handle, temporary = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self._header(document) + document)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self._path)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise

    def confirm(self) -> None:
        """Note that what the file holds is the newest now; does nothing when there is no file."""
        with suppress(OSError):
            os.utime(self._path)

    def age(self) -> float:
        """Seconds since the last ``write`` or ``confirm``, by the clock of the file system; infinite without a file."""
        try:
            return max(0.0, time.time() - self._path.stat().st_mtime)
        except OSError:
            return math.inf

    def _header(self, body: bytes) -> bytes:
        seal = hmac.new(self._secret, self._url.encode() + b"\0" + body, hashlib.sha256).hexdigest()
        return _MAGIC + b" " + seal.encode() + b"\n"
