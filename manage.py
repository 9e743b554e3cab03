#!/usr/bin/env python
"""Entry point for every command of the studio, such as ``python manage.py up``."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """The command named on the command line has run; the settings default to ``studio.settings.base``.

    A setting that cannot be used ends it with a message; ``--traceback`` shows where it was found.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings.base")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(str(error))


if __name__ == "__main__":
    main()
