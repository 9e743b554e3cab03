#!/usr/bin/env python
"""Entry point for every command of the studio, such as ``python manage.py up``."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """The command named on the command line has run; the settings default to ``studio.settings.base``."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings.base")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
