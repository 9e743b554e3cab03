"""What tests of specs and configs share."""

from collections.abc import Iterator

import pytest

from tenants.context import ALL, tenant_context


@pytest.fixture
def workspace(db: None) -> Iterator[None]:
    """The test runs in the context of somebody who sees the whole workspace."""
    with tenant_context(ALL):
        yield
