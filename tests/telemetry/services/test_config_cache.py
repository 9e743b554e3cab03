"""The memory of finished documents stays within its bounds."""

from concurrent.futures import ThreadPoolExecutor

from telemetry.services.config_cache import BoundedCache


def test_what_was_kept_is_found() -> None:
    cache: BoundedCache[bytes] = BoundedCache(10, len)

    cache.put("a", b"12345")

    assert cache.get("a") == b"12345"
    assert cache.get("b") is None


def test_what_was_not_used_for_longest_makes_room() -> None:
    cache: BoundedCache[bytes] = BoundedCache(10, len)
    cache.put("a", b"1234")
    cache.put("b", b"1234")
    cache.get("a")

    cache.put("c", b"1234")

    assert [cache.get(key) for key in "abc"] == [b"1234", None, b"1234"]
    assert len(cache) == 2


def test_a_replaced_entry_counts_once() -> None:
    cache: BoundedCache[bytes] = BoundedCache(10, len)
    cache.put("a", b"12345678")
    cache.put("a", b"1234")

    cache.put("b", b"123456")

    assert cache.get("a") == b"1234"
    assert cache.get("b") == b"123456"


def test_what_is_larger_than_the_whole_memory_drives_nothing_out() -> None:
    cache: BoundedCache[bytes] = BoundedCache(4, len)
    cache.put("a", b"1234")

    cache.put("b", b"12345")

    assert cache.get("a") == b"1234"
    assert cache.get("b") is None


def test_threads_never_exceed_the_limit_together() -> None:
    cache: BoundedCache[bytes] = BoundedCache(100, len)

    def work(worker: int) -> None:
        for number in range(500):
            cache.put((worker, number % 30), b"x" * (number % 17 + 1))
            cache.get((worker, (number * 7) % 30))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))

    kept = [cache.get((worker, number)) for worker in range(4) for number in range(30)]
    assert 0 < sum(len(value) for value in kept if value is not None) <= 100
    assert len(cache) == len([value for value in kept if value is not None])
