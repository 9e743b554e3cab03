"""What the studio tells Prometheus about itself, at ``/metrics``.

``process`` counts what web processes do, ``database`` measures what waits and how far jobs have come when it is asked.
"""

import os
from pathlib import Path

from django.conf import settings

if settings.STUDIO_METRICS_DIR:
    # The library looks once, when it is imported, and only this package imports it. All processes that write into the
    # directory are added up, so that it does not matter which one of them answers.
    Path(settings.STUDIO_METRICS_DIR).mkdir(parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = settings.STUDIO_METRICS_DIR
