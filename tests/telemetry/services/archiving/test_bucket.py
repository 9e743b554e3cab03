"""The archive in a bucket, over HTTP, with the storage that the settings make."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.test import override_settings

from studio.settings import archive as settings_of_archive
from studio.settings import product
from telemetry.core.errors import ArchiveFailed
from telemetry.services.archiving.expiring import remove_leftovers
from telemetry.services.archiving.files import file_problems
from telemetry.services.archiving.restoring import restore_file
from tenants.actors import SYSTEM
from tenants.models import Installation
from tests.telemetry.archives import NOW, archive_all, store_events, stored_ids
from tests.telemetry.services.archiving.bucket import Bucket, bucket_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """The archive is a bucket, as the settings for operators say."""
    # boto3 tries again for some seconds, and looks for a machine's role; a test has neither.
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with bucket_server() as bucket:
        values = {"BUCKET": "archive", "ENDPOINT": bucket.url, "REGION": "eu-central-1", "PREFIX": "studio"}
        for name, value in {**values, "ACCESS_KEY": "key", "SECRET_KEY": "secret"}.items():
            monkeypatch.setattr(product, f"STUDIO_ARCHIVE_S3_{name}", value)
        entry = settings_of_archive.archive_storage(Path("/nowhere"))
        with override_settings(STORAGES={**storages.backends, "archive": entry}):
            yield bucket


def test_events_go_into_the_bucket_and_come_back(installation: Installation, bucket: Bucket) -> None:
    ids = store_events(installation, 3)

    (file,) = archive_all(installation)

    place = f"studio/events/{installation.tenant_id}/{installation.public_id.hex}/30/{NOW.date()}/{file.public_id.hex}"
    assert sorted(bucket.objects) == [f"{place}.json", f"{place}.parquet"]
    assert stored_ids(installation) == set()
    assert file_problems(file, installation) == []
    assert restore_file(actor=SYSTEM, file=file, days=7) == 3
    assert stored_ids(installation) == set(ids)
    assert remove_leftovers() == 1
    assert bucket.objects == {}


def test_what_is_changed_in_the_bucket_is_noticed(installation: Installation, bucket: Bucket) -> None:
    store_events(installation, 1)
    (file,) = archive_all(installation)
    (key,) = (key for key in bucket.objects if key.endswith(".parquet"))
    bucket.objects[key] = bucket.objects[key][:-1] + b"?"

    assert "damaged" in file_problems(file, installation)[0]


@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_bucket_that_refuses_stops_everything(installation: Installation, bucket: Bucket, status: int) -> None:
    ids = store_events(installation, 2)
    bucket.status = status

    with pytest.raises(ArchiveFailed) as failure:
        archive_all(installation)

    assert bucket.url not in failure.value.message
    assert stored_ids(installation) == set(ids)
    assert bucket.objects == {}
