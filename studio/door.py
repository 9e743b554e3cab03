"""One port for everything on this machine: a connection goes to the streams or to the web server, by its first line.

In production the proxy that ends TLS does that, request by request; ``manage.py up`` has none. The rest of a connection
follows its first request, whatever it asks for later: the web server answers 421 when it is asked for a stream, and a
client that connects anew is served.
"""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import Final

from studio.streams.addresses import PATH

__all__ = ["main", "serve"]

# The longest line that is looked at; whatever is longer is not the address of a stream.
LINE_BYTES: Final = 8192
CHUNK_BYTES: Final = 65536
# As long as the web server waits for the head of a request.
FIRST_LINE_SECONDS: Final = 60


async def serve(port: int, *, web: Path, streams: Path) -> None:
    """Connections to the port of 127.0.0.1 are passed on to the sockets until the process is told to stop."""

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await _pass_on(reader, writer, web=web, streams=streams)
        writer.close()

    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = await asyncio.start_server(welcome, "127.0.0.1", port, limit=LINE_BYTES, backlog=1024)
    await stopped.wait()
    server.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, web: Path, streams: Path) -> None:
    first = b""
    # Without its first line, a request is no stream's; what was read of it stays in the reader.
    with contextlib.suppress(asyncio.LimitOverrunError):
        async with asyncio.timeout(FIRST_LINE_SECONDS):
            first = await reader.readuntil(b"\n")
    there, back = await asyncio.open_unix_connection(streams if _asks_for_stream(first) else web)
    back.write(first)
    # A client may stop sending and still listen, so what it sends is the side task.
    forth = asyncio.create_task(_copy(reader, back))
    try:
        await _copy(there, writer)
    finally:
        forth.cancel()
        back.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Everything that comes goes out, and then the end of it; whoever breaks off has ended."""
    with contextlib.suppress(OSError):
        while chunk := await source.read(CHUNK_BYTES):
            target.write(chunk)
            await target.drain()
        if target.can_write_eof():
            target.write_eof()


def _asks_for_stream(line: bytes) -> bool:
    _, _, rest = line.partition(b" ")
    address, _, _ = rest.partition(b" ")
    return address.partition(b"?")[0] == PATH.encode()


def main() -> None:
    """``python -m studio.door PORT WEB_SOCKET STREAM_SOCKET``."""
    port, web, streams = sys.argv[1:]
    asyncio.run(serve(int(port), web=Path(web), streams=Path(streams)))


if __name__ == "__main__":
    main()
