"""``python -m telemetry.cli``."""

from telemetry.cli import main

if __name__ == "__main__":
    main()
