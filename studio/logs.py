"""What is written to logs, whoever writes it."""

import logging
import re
from typing import Final

__all__ = ["HideKeys"]

# API keys, see ``tenants.keys``: the lookup may be shown, as it is in audit entries; what follows is the secret.
_KEY: Final = re.compile(r"(tgs_[a-z]{3}_[a-z]{3}_[0-9A-Za-z]{1,8})[0-9A-Za-z_]*")


class HideKeys(logging.Filter):
    """Keeps the secrets of API keys out of messages. Django logs the path of what it refused, and browsers that use
    other people's clients have a key in one of their addresses.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """True; the message has no key in it any more."""
        message = record.getMessage()
        if "tgs_" in message:
            record.msg, record.args = _KEY.sub(r"\1...", message), None
        return True
