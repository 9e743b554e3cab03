"""Where archived events are kept: a directory, or a bucket."""

from pathlib import Path
from typing import Any

from studio.settings import env, product

__all__ = ["archive_storage"]


def archive_storage(base: Path) -> dict[str, Any]:
    """The entry of ``STORAGES`` that the settings ask for; without any, a directory beside the studio's other data."""
    if product.STUDIO_ARCHIVE_S3_BUCKET:
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": _bucket()}
    data = Path(env.text("STUDIO_DATA_DIR", str(base / ".studio"))).expanduser()
    directory = product.STUDIO_ARCHIVE_DIR or str(data / "archive")
    return {"BACKEND": "telemetry.stores.archive.local.LocalArchive", "OPTIONS": {"location": directory}}


def _bucket() -> dict[str, Any]:
    # Unset values must be absent: then boto3 looks where a machine's role and region are.
    given = {
        "endpoint_url": product.STUDIO_ARCHIVE_S3_ENDPOINT,
        "region_name": product.STUDIO_ARCHIVE_S3_REGION,
        "access_key": product.STUDIO_ARCHIVE_S3_ACCESS_KEY,
        "secret_key": product.STUDIO_ARCHIVE_S3_SECRET_KEY,
        "location": product.STUDIO_ARCHIVE_S3_PREFIX,
    }
    return {
        "bucket_name": product.STUDIO_ARCHIVE_S3_BUCKET,
        "signature_version": "s3v4",
        # What another host keeps need not have a name of its own for each bucket.
        "addressing_style": "path" if product.STUDIO_ARCHIVE_S3_ENDPOINT else "auto",
        "file_overwrite": True,
        "default_acl": None,
        **{name: value for name, value in given.items() if value},
    }
