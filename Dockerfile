# Dependencies, installed from the lock file with hashes.
FROM python:3.12-slim AS dependencies

COPY requirements-bootstrap.lock requirements-production.lock /
RUN pip install --no-cache-dir --require-hashes --requirement /requirements-bootstrap.lock \
    && python -m venv /opt/studio \
    && uv pip sync --no-cache --python /opt/studio/bin/python --require-hashes --compile-bytecode /requirements-production.lock


# What runs: the environment above and the project, nothing that builds.
FROM python:3.12-slim

# A fixed number, so that volumes keep their owner from one image to the next.
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin studio \
    && install --directory --owner studio --group studio /var/lib/studio

COPY --from=dependencies /opt/studio /opt/studio
COPY . /srv/studio
WORKDIR /srv/studio

ENV PATH=/opt/studio/bin:$PATH \
    PYTHONPATH=/srv/studio \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=studio.settings.base \
    GRANIAN_HOST=0.0.0.0 \
    GRANIAN_PORT=8000

RUN python -m compileall -q manage.py studio telemetry tenants \
    && python manage.py collectstatic --no-input --verbosity 0

USER 10001
EXPOSE 8000

# This process only. Whether its servers answer is what /readyz tells.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]

CMD ["granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "2", "--http1-header-read-timeout", "60000", "--workers-kill-timeout", "10", "studio.wsgi:application"]
