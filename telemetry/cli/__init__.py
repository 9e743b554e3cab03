"""The command line ``studio``: specs as files, from a terminal, a hook or a pipeline. Imports core, formats and sdk.

Exit codes: 0 nothing to object to, 1 something found at or above ``--fail-on``, 2 the call or its input is wrong.
"""

from telemetry.cli.app import main

__all__ = ["main"]
