"""The database backend that ``DATABASES`` names; Django looks for its wrapper in a module of this name."""

import select

import psycopg
from django.db.backends.postgresql import base
from psycopg.pq import ConnStatus
from psycopg.pq.abc import PGconn

__all__ = ["DatabaseWrapper"]


class DatabaseWrapper(base.DatabaseWrapper):
    """Before its first statement, a request asks its connection's socket whether the server has hung up.

    Django asks the server instead, by a statement of its own, which for a short request is a sixth of its way to the
    database. A server that stops, restarts or ends the connection closes the socket, and this sees it as soon. One that
    is cut off without a word answers neither.
    """

    # Django's own, unknown to its stubs.
    health_check_enabled: bool
    health_check_done: bool

    def close_if_health_check_failed(self) -> None:
        """The connection is closed, and opened again when it is needed, if the server has hung up."""
        if self.connection is None or not self.health_check_enabled or self.health_check_done:
            return
        if has_hung_up(self.connection.pgconn):
            self.close()
        self.health_check_done = True


def has_hung_up(connection: PGconn) -> bool:
    """Whether the server has closed the connection, on which nothing is under way; asks nobody."""
    if connection.status != ConnStatus.OK:
        return True
    poll = select.poll()
    poll.register(connection.socket, select.POLLIN)
    # Mostly there is nothing to read. The end can be read again and again, and comes after the server's last words.
    try:
        while connection.status == ConnStatus.OK and poll.poll(0):
            connection.consume_input()
    except psycopg.Error:
        return True
    return connection.status != ConnStatus.OK
