"""What must be found: addresses, phone numbers, cards, accounts, machines, secrets and places."""

import base64
import json
import random
import string
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from stdnum import iban, luhn
from stdnum.es import ccc

from benchmarks.personal_sample.labelled import Labelled, digits, generate, letters, written
from telemetry.detection.detector import Detector

__all__ = ["positives"]

HEX = string.hexdigits[:16]
NAMES = (
    *("alice", "bob", "carmen", "dmitri", "élodie", "fatima", "grace", "hiro", "ingrid"),
    *("joão", "kwame", "li", "maría", "nils", "olga", "priya", "søren"),
)
FAMILIES = (
    *("smith", "müller", "garcía", "rossi", "dubois", "kowalski", "nguyen", "okafor", "tanaka"),
    *("ivanova", "hansen", "silva", "yildiz", "o'neil"),
)
DOMAINS = (
    *(
        "example.com",
        "mail.example.co.uk",
        "firma.de",
        "poste.example.fr",
        "empresa.com.br",
        "xn--mnchen-3ya.example",
        "müller.example",
    ),
)
PLACES = ((52.52, 13.405), (40.7128, -74.006), (-33.8688, 151.2093), (35.6762, 139.6503), (-23.5505, -46.6333))
REGIONS = (
    *("US", "GB", "DE", "FR", "ES", "IT", "NL", "PL", "SE"),
    *("CH", "AT", "BR", "MX", "AR", "IN", "JP", "KR", "AU"),
    *("ZA", "NG", "EG", "TR", "UA", "ID"),
)
CARDS = (
    *(("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15)),
    *(("6011", 16), ("65", 16), ("3530", 16), ("36", 14), ("38", 14), ("62", 16), ("62", 19)),
)
BANKS = {"DE": "18n", "NL": "4a10n", "GB": "4a14n", "AT": "16n", "CH": "17n", "PL": "24n", "SE": "20n", "IE": "4a14n"}


def email(source: random.Random) -> str:
    """A mailbox, as people and companies name theirs."""
    first, last = source.choice(NAMES), source.choice(FAMILIES)
    local = source.choice(
        (f"{first}.{last}", f"{first[0]}{last}", f"{first}_{last}{source.randint(1, 99)}", f"{first}+news", last)
    )
    return f"{local}@{source.choice(DOMAINS)}"


def phone(source: random.Random, form: int, regions: tuple[str, ...] = REGIONS) -> str:
    """A valid number of a random region, in one of the formats that ``phonenumbers`` writes."""
    region = source.choice(regions)
    kind = source.choice((PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE))
    known = phonenumbers.example_number_for_type(region, kind)
    assert known is not None
    significant = phonenumbers.national_significant_number(known)
    while True:
        changed = significant[:-4] + digits(source, 4)
        number = phonenumbers.parse(f"+{known.country_code}{changed}", None)
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, form)


def card(source: random.Random) -> str:
    """The number of a card of one of the big networks."""
    prefix, length = source.choice(CARDS)
    body = prefix + digits(source, length - len(prefix) - 1)
    return body + luhn.calc_check_digit(body)


def grouped_card(source: random.Random) -> str:
    """The number as it is printed on the card."""
    number, separator = card(source), source.choice(" -")
    cuts = {15: (4, 10, 15), 14: (4, 10, 14), 19: (4, 8, 12, 16, 19)}.get(len(number), (4, 8, 12, 16))
    return separator.join(number[start:end] for start, end in zip((0, *cuts), cuts, strict=False))


def account(source: random.Random) -> str:
    """An IBAN of one of nine countries."""
    country = source.choice((*BANKS, "ES"))
    if country == "ES":
        bank, number = digits(source, 8), digits(source, 10)
        body = bank + ccc.calc_check_digits(bank + "00" + number) + number
    else:
        form = BANKS[country]
        head = letters(source, 4, string.ascii_uppercase) if "a" in form else ""
        body = head + digits(source, int(form.removeprefix("4a").removesuffix("n")))
    return country + iban.calc_check_digits(country + "00" + body) + body


def grouped_account(source: random.Random) -> str:
    """An IBAN as it is printed."""
    return iban.format(account(source))


def address_of_four(source: random.Random) -> str:
    """A public IPv4 address, drawn evenly."""
    while True:
        address = IPv4Address(source.getrandbits(32))
        if address.is_global and not address.is_multicast:
            return str(address)


def private_address(source: random.Random) -> str:
    """An address in somebody's home or office."""
    return f"192.168.{source.randint(0, 255)}.{source.randint(2, 254)}"


def address_of_six(source: random.Random) -> str:
    """An IPv6 address of a provider's customer."""
    return str(IPv6Address((0x2A02 << 112) | source.getrandbits(112)))


def json_web_token(source: random.Random) -> str:
    """A signed token."""
    head, body = {"alg": "HS256", "typ": "JWT"}, {"sub": letters(source, 10), "iat": source.randint(10**9, 2 * 10**9)}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (head, body)]
    return ".".join((*parts, base64.urlsafe_b64encode(source.randbytes(32)).rstrip(b"=").decode()))


def vendor_token(source: random.Random) -> str:
    """A token of a well-known service."""
    safe = string.ascii_letters + string.digits + "_-"
    return source.choice(
        (
            f"ghp_{letters(source, 36)}",
            f"glpat-{letters(source, 20, safe)}",
            f"AKIA{letters(source, 16, string.ascii_uppercase + string.digits)}",
            f"xoxb-{digits(source, 12)}-{digits(source, 12)}-{letters(source, 24)}",
            f"sk_live_{letters(source, 24)}",
            f"SG.{letters(source, 22, safe)}.{letters(source, 43, safe)}",
            f"npm_{letters(source, 36)}",
            f"pypi-AgEIcHlwaS5vcmc{letters(source, 80, safe)}",
            f"sk-{letters(source, 20)}T3BlbkFJ{letters(source, 20)}",
            f"{digits(source, 9)}:{letters(source, 35, safe)}",
            f"SK{letters(source, 32, HEX)}",
            f"{letters(source, 32, HEX)}-us{source.randint(1, 20)}",
            f"tgs_prd_app_{letters(source, 8, string.ascii_lowercase)}_{letters(source, 49)}",
        )
    )


def user_info(source: random.Random) -> str:
    """An address of a service with the password in it."""
    return f"postgres://app:{letters(source, 14)}@db{source.randint(1, 9)}.example.com/app"


def private_key(source: random.Random) -> str:
    """The beginning of a key file."""
    return f"-----BEGIN {source.choice(('RSA ', 'EC ', ''))}PRIVATE KEY-----\nMII{letters(source, 60)}"


def place(source: random.Random) -> tuple[float, float]:
    """Latitude and longitude near a city."""
    latitude, longitude = source.choice(PLACES)
    return round(latitude + source.uniform(-1, 1), 5), round(longitude + source.uniform(-1, 1), 5)


def decimal_place(source: random.Random) -> str:
    """A place as maps copy it."""
    latitude, longitude = place(source)
    return f"{latitude:.5f}{source.choice((',', ', ', ' '))}{longitude:.5f}"


def degrees_and_minutes(source: random.Random) -> str:
    """A place as maps show it."""
    latitude, longitude = place(source)
    halves = []
    for value, poles in ((latitude, "NS"), (longitude, "EW")):
        whole, minutes = divmod(abs(value) * 60, 60)
        halves.append(f"{int(whole)}°{int(minutes)}'{minutes % 1 * 60:.1f}\"{poles[value < 0]}")
    return " ".join(halves)


PHONE = PhoneNumberFormat
FORMS = {
    Detector.EMAIL: {
        "email/alone": ("contact", email),
        "email/in a sentence": ("comment", written(email)),
        "email/in an address": (
            "page",
            lambda source: f"https://shop.example/reset?mail={email(source).replace('@', '%40')}&step=2",
        ),
    },
    Detector.PHONE: {
        "phone/E.164": ("value", lambda source: phone(source, PHONE.E164)),
        "phone/international": ("value", lambda source: phone(source, PHONE.INTERNATIONAL)),
        "phone/with 00": ("value", lambda source: "00" + phone(source, PHONE.INTERNATIONAL)[1:]),
        "phone/in a sentence": ("comment", written(lambda source: phone(source, PHONE.INTERNATIONAL))),
        "phone/national, name tells": ("phoneNumber", lambda source: phone(source, PHONE.NATIONAL)),
        "phone/national, US and French writing": ("value", lambda source: phone(source, PHONE.NATIONAL, ("US", "FR"))),
        "phone/national, name does not tell": ("value", lambda source: phone(source, PHONE.NATIONAL)),
    },
    Detector.PAYMENT_CARD: {
        "payment_card/digits": ("value", card),
        "payment_card/number": ("value", lambda source: int(card(source))),
        "payment_card/groups": ("value", grouped_card),
        "payment_card/in a sentence": ("comment", written(grouped_card)),
    },
    Detector.IBAN: {
        "iban/alone": ("value", account),
        "iban/groups": ("value", grouped_account),
        "iban/in a sentence": ("comment", written(grouped_account)),
    },
    Detector.IP_ADDRESS: {
        "ip_address/IPv4": ("value", address_of_four),
        "ip_address/IPv4 at home": ("value", private_address),
        "ip_address/IPv6": ("value", address_of_six),
        "ip_address/in a sentence": ("log", written(address_of_four)),
        "ip_address/in an address": ("page", lambda source: f"http://{address_of_four(source)}:8080/start"),
    },
    Detector.SECRET: {
        "secret/token of a service": ("value", vendor_token),
        "secret/in a sentence": ("comment", written(vendor_token)),
        "secret/JSON web token": ("header", lambda source: f"Bearer {json_web_token(source)}"),
        "secret/password in an address": ("dsn", user_info),
        "secret/private key": ("value", private_key),
        "secret/random, name tells": ("apiKey", lambda source: letters(source, source.choice((24, 32, 40)))),
    },
    Detector.COORDINATES: {
        "coordinates/decimals": ("value", decimal_place),
        "coordinates/in a sentence": ("comment", written(decimal_place)),
        "coordinates/degrees": ("value", degrees_and_minutes),
        "coordinates/object": ("place", lambda source: dict(zip(("lat", "lng"), place(source), strict=True))),
        "coordinates/GeoJSON": ("place", lambda source: {"type": "Point", "coordinates": list(place(source))[::-1]}),
    },
}


def positives(seed: int, each: int) -> Iterator[Labelled]:
    """``each`` values of every form of these kinds."""
    for detector, forms in FORMS.items():
        yield from generate(forms, seed, each, detector)
