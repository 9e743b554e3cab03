"""What must not be found: values without a person in them, made to look as if there was one."""

import hashlib
import random
import string
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from stdnum import ean, luhn

from benchmarks.personal_sample.labelled import Form, Labelled, digits, generate, letters

__all__ = ["negatives"]

HEX = string.hexdigits[:16]
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
WORDS = (
    *("checkout", "upgrade", "invoice", "export", "preview", "onboarding", "search"),
    *("filter", "retry", "settings", "cart", "report", "video"),
)
# "#" is a random digit, "A" a random letter.
LOOKS_OF_NUMBERS = (
    *("###-##-####", "######-####", "######-#######", "####-####-####-####", "#### #### #### ####"),
    *("###-###-####", "(###) ###-####", "+1 ### ### ####", "#### #### ####", "########-A", "##.###.###-#"),
    *("######/####", "###.###.###-##", "AA## #### #### #### ##", "##.##.##-###.##", "A#######A", "###########"),
)


def instant(source: random.Random) -> datetime:
    """A moment of the last years."""
    return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=source.uniform(0, 90_000_000))


def timestamp(source: random.Random) -> str:
    """A moment as machines and people write it."""
    moment = instant(source)
    return source.choice(
        (
            moment.isoformat(),
            moment.strftime("%Y-%m-%d"),
            moment.strftime("%d.%m.%Y %H:%M:%S"),
            moment.strftime("%Y%m%d%H%M%S"),
            moment.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            moment.strftime("%Y-%m-%dT%H:%M:%S.%f+02:00"),
        )
    )


def epoch(source: random.Random) -> Any:
    """A moment in seconds, milli-, micro- or nanoseconds, as a number or as text."""
    whole = int(instant(source).timestamp() * 10 ** source.choice((0, 3, 6, 9)))
    return source.choice((whole, str(whole)))


def order_number(source: random.Random) -> Any:
    """A number that a shop gives to an order, a ticket or a parcel."""
    year, serial = source.randint(2020, 2026), digits(source, 6)
    return source.choice(
        (
            f"ORD-{year}-{serial}",
            f"{year}{serial}",
            f"#{serial}",
            f"{digits(source, 3)}-{digits(source, 7)}-{digits(source, 7)}",
            f"PO {digits(source, 4)}/{digits(source, 3)}",
            f"1Z{letters(source, 6, string.ascii_uppercase + string.digits)}{digits(source, 10)}",
            f"CASE-{digits(source, 8)}",
            int(f"{year}{serial}"),
            f"{digits(source, 2)}-{digits(source, 5)}-{digits(source, 5)}",
        )
    )


def product_code(source: random.Random) -> str:
    """What is printed on goods."""
    body = digits(source, 12)
    isbn = f"978{digits(source, 9)}"
    return source.choice(
        (
            body + ean.calc_check_digit(body),
            isbn + ean.calc_check_digit(isbn),
            f"{letters(source, 5, string.ascii_uppercase)}-{digits(source, 4)}",
            f"SKU{digits(source, 8)}",
            f"{digits(source, 8)}{letters(source, 1, string.ascii_uppercase)}",
            f"B0{letters(source, 8, string.ascii_uppercase + string.digits)}",
        )
    )


def version(source: random.Random) -> str:
    """A version of software, of three or four parts."""
    small = [str(source.randint(0, 20)) for _ in range(4)]
    return source.choice(
        (
            ".".join(small[:3]),
            ".".join(small),
            f"{source.randint(90, 140)}.0.{source.randint(1000, 7000)}.{source.randint(20, 250)}",
            f"10.0.{source.randint(19041, 26100)}.{source.randint(1, 5000)}",
            f"v{'.'.join(small)}",
            f"{'.'.join(small[:3])}-rc.{small[3]}+build.{digits(source, 6)}",
            f"{small[0]}.{source.randint(0, 99)}.{small[2]}.{source.randint(0, 99)}",
        )
    )


def user_agent(source: random.Random) -> str:
    """What a browser says about itself."""
    major = source.randint(90, 140)
    return (
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"Chrome/{major}.0.{source.choice(('0.0', '6099.109'))} Safari/537.36 Edg/{major}.0.2210.{digits(source, 2)}"
    )


def price(source: random.Random) -> Any:
    """Money in the writing of several countries."""
    amount = round(source.uniform(0.5, 99_999), 2)
    return source.choice(
        (
            amount,
            f"{amount:.2f}",
            f"{amount:,.2f} USD",
            f"EUR {amount:,.2f}".replace(",", "_").replace(".", ",").replace("_", "."),
            f"{amount:,.2f}".replace(",", " ").replace(".", ","),
            f"{source.uniform(0, 1):.4f}",
        )
    )


def numbers_of_sixteen(source: random.Random, *, passes: bool | None) -> str:
    """Sixteen digits that fail the check digit of cards, or whose check digit is left to chance."""
    number = digits(source, 16)
    return number if passes is None or luhn.is_valid(number) is passes else numbers_of_sixteen(source, passes=passes)


def look_alike(source: random.Random) -> str:
    """Random digits in the writing of personal numbers: of what is right by chance, nobody can tell that it is not."""
    look = source.choice(LOOKS_OF_NUMBERS)
    filled = (digits(source, 1) if each == "#" else letters(source, 1, string.ascii_uppercase) for each in look)
    return "".join(each if mark in "#A" else mark for mark, each in zip(look, filled, strict=True))


def machine_id(source: random.Random) -> str:
    """An id that a machine made."""
    return source.choice(
        (
            str(uuid.UUID(int=source.getrandbits(128), version=4)),
            uuid.UUID(int=source.getrandbits(128), version=4).hex,
            "01" + letters(source, 24, CROCKFORD),
            letters(source, 21, string.ascii_letters + string.digits + "_-"),
            f"c{letters(source, 24, string.ascii_lowercase + string.digits)}",
            str(source.randint(10**17, 10**18)),
            f"req_{letters(source, 16)}",
            f"arn:aws:lambda:eu-west-1:{digits(source, 12)}:function:{source.choice(WORDS)}",
        )
    )


def checksum(source: random.Random) -> str:
    """A hash of some content."""
    content = source.randbytes(8)
    return source.choice(
        (
            hashlib.md5(content).hexdigest(),  # noqa: S324 - as others name their files
            hashlib.sha1(content).hexdigest(),  # noqa: S324 - as git names its commits
            hashlib.sha256(content).hexdigest(),
            f"sha256:{hashlib.sha256(content).hexdigest()}",
            letters(source, 7, HEX),
            f'W/"{letters(source, 27)}"',
        )
    )


def file_or_package(source: random.Random) -> str:
    """Names with an "@" or with dots that belong to no mailbox."""
    word = source.choice(WORDS)
    return source.choice(
        (
            f"{word}@2x.png",
            f"{word}-{digits(source, 8)}@3x.webp",
            f"@acme/{word}@{source.randint(1, 9)}.{source.randint(0, 20)}.0",
            f"git@code.example.com:acme/{word}.git",
            f"@{word}_official",
            f"{word}@v{source.randint(1, 9)}",
            f"com.example.{word}.MainActivity@{letters(source, 7, HEX)}",
            f"/static/js/{word}.{letters(source, 8, HEX)}.chunk.js",
        )
    )


def page(source: random.Random) -> str:
    """An address of a page."""
    return source.choice(
        (
            f"https://shop.example/{source.choice(WORDS)}/{digits(source, 8)}?ref={letters(source, 10)}",
            f"https://cdn.example.com/{letters(source, 32, HEX)}/{source.choice(WORDS)}.svg",
            f"/orders/{source.randint(2020, 2026)}/{digits(source, 6)}",
            f"https://app.example:8443/#/{source.choice(WORDS)}?utm_campaign=spring_2026&utm_id={digits(source, 11)}",
            "http://127.0.0.1:8000/health",
        )
    )


def measurement(source: random.Random) -> Any:
    """Sizes, shares and durations."""
    return source.choice(
        (
            f"{source.randint(300, 4000)}x{source.randint(300, 3000)}",
            f"{source.random():.6f},{source.random():.6f}",
            f"{source.uniform(0, 100):.3f}%",
            f"{source.randint(0, 99):02}:{source.randint(0, 59):02}:{source.randint(0, 59):02}.{digits(source, 3)}",
            f"translate({source.uniform(-90, 90):.3f}px, {source.uniform(-90, 90):.3f}px)",
            source.uniform(0, 10**6),
            source.randint(0, 10**12),
            f"{source.randint(1, 999)} ms",
            {"x": source.uniform(0, 1), "y": source.uniform(0, 1)},
            [round(source.uniform(0, 50), 2), round(source.uniform(50, 99), 2)],
        )
    )


def device(source: random.Random) -> str:
    """Hardware, and what it says about itself."""
    pairs = [letters(source, 2, HEX) for _ in range(6)]
    return source.choice(
        (
            ":".join(pairs),
            f"iPhone{source.randint(9, 17)},{source.randint(1, 6)}",
            f"SM-G{digits(source, 3)}B/DS",
            f"0x{letters(source, 8, HEX)}",
            "::1",
            "std::vector::push_back",
            f"GPU {digits(source, 4)} Ti (driver 31.0.15.{digits(source, 2)}05)",
        )
    )


def sentence(source: random.Random) -> str:
    """Words, with a number among them."""
    first, second = source.sample(WORDS, 2)
    return source.choice(
        (
            f"Opened {first} {source.randint(2, 99)} times before {second}",
            f"{first}_{second}_v{source.randint(1, 9)}",
            f"Step {source.randint(1, 9)} of 12: {first}",
            f"{first}: {digits(source, 5)} rows, {digits(source, 6)} bytes in 7.{digits(source, 3)} s",
            f"Error {source.randint(400, 599)} at line {digits(source, 4)}, column {digits(source, 2)}",
            "Mon-Fri 09:00-17:30, Sat 10:00-14:00",
            f"0 {source.randint(0, 23)} * * 1-5",
        )
    )


FORMS: dict[str, tuple[str, Form]] = {
    "machine ids": ("requestId", machine_id),
    "hashes": ("checksum", checksum),
    "order numbers": ("orderNumber", order_number),
    "product codes": ("sku", product_code),
    "versions": ("value", version),
    "versions, name tells": ("appVersion", version),
    "user agents": ("agent", user_agent),
    "timestamps": ("startedAt", timestamp),
    "seconds since 1970": ("clientTime", epoch),
    "prices": ("amount", price),
    "16 digits, check digit wrong": ("reference", lambda source: numbers_of_sixteen(source, passes=False)),
    "16 digits, check digit by chance": ("reference", lambda source: numbers_of_sixteen(source, passes=None)),
    "writing of personal numbers": ("reference", look_alike),
    "files and packages": ("file", file_or_package),
    "addresses of pages": ("page", page),
    "measurements": ("size", measurement),
    "devices": ("device", device),
    "words": ("label", sentence),
}


def negatives(seed: int, each: int) -> Iterator[Labelled]:
    """``each`` values of every form."""
    yield from generate(FORMS, seed, each, None)
