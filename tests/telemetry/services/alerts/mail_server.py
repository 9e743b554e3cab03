"""A small SMTP server on the loopback interface that answers as a test tells it, and keeps what it was sent."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from typing import ClassVar

__all__ = ["MailServer", "mail_server"]


class MailServer:
    """``answers`` maps a command (``RCPT``, ``DATA``) to what is said instead of yes; by address for ``RCPT``."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answers: dict[str, str] = {}
        self.mails: list[Message] = []
        self.recipients: list[list[str]] = []


class _Handler(socketserver.StreamRequestHandler):
    kept: ClassVar[MailServer]

    def handle(self) -> None:
        self._say("220 here")
        recipients: list[str] = []
        while line := self.rfile.readline().decode().strip():
            command, _, rest = line.partition(" ")
            command = command.upper()
            refusal = self.kept.answers.get(command) or self.kept.answers.get(f"{command} {rest}")
            if refusal is not None:
                self._say(refusal)
            elif command == "DATA":
                self._say("354 go on")
                self._take(recipients)
                self._say("250 taken")
            elif command == "QUIT":
                self._say("221 bye")
                return
            else:
                recipients = [*recipients, rest] if command == "RCPT" else recipients
                self._say("250 fine")

    def _take(self, recipients: list[str]) -> None:
        body = b""
        while not body.endswith(b"\r\n.\r\n"):
            body += self.rfile.readline()
        self.kept.recipients.append(recipients)
        self.kept.mails.append(message_from_bytes(body[:-5]))

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A server on a free port for the length of the block."""

    class Handler(_Handler):
        """Of this server alone."""

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        kept = Handler.kept = MailServer(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield kept
        finally:
            server.shutdown()
            thread.join()
