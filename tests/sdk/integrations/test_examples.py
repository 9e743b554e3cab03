"""The examples of operations and integrations, run as people run them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PLACED = "tracked shop.order_placed {'email': 'REDACTED', 'total': 12.5}"
FAILED = "tracked shop.order_failed {'kind': 'LookupError'}"
EXPECTED = {
    "operations": [
        *(PLACED, "answer Placed(number=7)") * 2,
        *(FAILED, "raised LookupError"),
        *("tracked shop.order_failed {'kind': 'InvalidDocument'}", "raised InvalidDocument"),
    ],
    "tracked_functions": [
        *(PLACED, "answer 7"),
        *("tracked shop.order_placed {'email': 'REDACTED', 'total': 3}", "answer 7"),
        *(FAILED, "raised LookupError"),
    ],
    "django_shop": [
        "tracked shop.order_placed {'email': 'REDACTED', 'total': 4711.0}",
        "tracked http.request {'method': 'GET', 'status': 200, 'route': 'orders/<int:number>'}",
        "/orders/4711 200",
        FAILED,
        "tracked http.request {'method': 'GET', 'status': 500, 'route': 'orders/<int:number>'}",
        "/orders/0 500",
        "tracked http.request {'method': 'GET', 'status': 404}",
        "/nowhere 404",
        "tracked http.request {'method': 'GET', 'status': 200, 'route': 'api/orders/<int:number>'}",
        "/api/orders/1 200",
        "tracked shop.order_failed {'kind': 'NotFound'}",
        "tracked http.request {'method': 'GET', 'status': 404, 'route': 'api/orders/<int:number>'}",
        "/api/orders/2 404",
    ],
    "celery_shop": [PLACED, "state SUCCESS", FAILED, "state FAILURE", "state SUCCESS"],
    "fastapi_shop": [
        "tracked shop.order_placed {'email': 'REDACTED', 'total': 4711.0}",
        "tracked http.request {'method': 'GET', 'status': 200, 'route': '/orders/{total}'}",
        "/orders/4711 200",
        FAILED,
        "tracked http.request {'method': 'GET', 'status': 500, 'route': '/orders/{total}'}",
        "/orders/0 500",
        "tracked http.request {'method': 'GET', 'status': 422, 'route': '/orders/{total}'}",
        "/orders/many 422",
        "tracked http.request {'method': 'GET', 'status': 404}",
        "/nowhere 404",
    ],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_prints_what_was_tracked(name: str) -> None:
    ended = subprocess.run(
        [sys.executable, str(ROOT / "examples" / f"{name}.py")],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == EXPECTED[name]
    assert "ada@example.com" not in ended.stdout
