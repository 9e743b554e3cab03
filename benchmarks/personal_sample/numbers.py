"""What must be found: identity and tax numbers of persons."""

import random
import string
from collections.abc import Iterator

from stdnum import luhn, verhoeff
from stdnum.be import nn
from stdnum.bg import egn
from stdnum.br import cpf
from stdnum.cl import rut
from stdnum.cn import ric
from stdnum.de import idnr
from stdnum.ean import calc_check_digit as ean_check_digit
from stdnum.es import dni
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.iso7064 import mod_11_10
from stdnum.it import codicefiscale
from stdnum.kr import rrn
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.us import ssn

from benchmarks.personal_sample.labelled import Form, Labelled, digits, generate, letters, written
from telemetry.detection.detector import Detector

__all__ = ["identity_numbers"]


def day(source: random.Random, *, year_digits: int = 2) -> tuple[str, str, str]:
    """A birthday: year, month and day as digits."""
    year = str(source.randint(1950, 1999))[-year_digits:]
    return year, f"{source.randint(1, 12):02}", f"{source.randint(1, 28):02}"


def italian(source: random.Random) -> str:
    """Codice fiscale."""
    year, _, on = day(source)
    body = f"{letters(source, 6, 'BCDFGLMNPRST')}{year}{source.choice('ABCDEHLMPRST')}{on}H{digits(source, 3)}"
    return body + codicefiscale.calc_check_digit(body)


def finnish(source: random.Random) -> str:
    """Henkilötunnus."""
    year, month, on = day(source)
    serial = f"{source.randint(2, 899):03}"
    return f"{on}{month}{year}-{serial}{hetu._calc_checksum(on + month + year + serial)}"


def french(source: random.Random) -> str:
    """Numéro de sécurité sociale, as it is printed on the card."""
    year, month, _ = day(source)
    body = f"{source.choice('12')}{year}{month}{source.randint(10, 95)}{source.randint(1, 990):03}{digits(source, 3)}"
    return nir.format(body + nir.calc_check_digits(body))


def chinese(source: random.Random) -> str:
    """Resident identity card."""
    body = f"110101{''.join(day(source, year_digits=4))}{source.randint(1, 999):03}"
    return body + ric.calc_check_digit(body + "0")


def swiss(source: random.Random) -> str:
    """AHV number."""
    body = f"756{digits(source, 9)}"
    whole = body + ean_check_digit(body)
    return f"{whole[:3]}.{whole[3:7]}.{whole[7:11]}.{whole[11:]}"


def brazilian(source: random.Random) -> str:
    """CPF."""
    body = digits(source, 9)
    return cpf.format(body + cpf._calc_check_digits(body))


def american(source: random.Random) -> str:
    """Social security number."""
    while True:
        number = digits(source, 9)
        if ssn.is_valid(number):
            return ssn.format(number)


def korean(source: random.Random) -> str:
    """Resident registration number."""
    body = "".join(day(source)) + source.choice("12") + f"{source.randint(0, 95):02}" + digits(source, 3)
    return rrn.format(body + rrn.calc_check_digit(body))


def swedish(source: random.Random) -> str:
    """Personnummer."""
    body = "".join(day(source)) + digits(source, 3)
    return f"{body[:6]}-{body[6:]}{luhn.calc_check_digit(body)}"


def belgian(source: random.Random) -> str:
    """Numéro national."""
    body = "".join(day(source)) + f"{source.randint(1, 997):03}"
    return nn.format(body + f"{97 - int(body) % 97:02}")


def chilean(source: random.Random) -> str:
    """RUT."""
    body = str(source.randint(5_000_000, 25_000_000))
    return rut.format(body + rut.calc_check_digit(body))


def indian(source: random.Random) -> str:
    """Aadhaar."""
    while True:
        body = source.choice("23456789") + digits(source, 10)
        whole = body + verhoeff.calc_check_digit(body)
        if whole != whole[::-1]:
            return f"{whole[:4]} {whole[4:8]} {whole[8:]}"


def german(source: random.Random) -> str:
    """Steuerliche Identifikationsnummer: eleven digits, one of the first ten twice and one not at all."""
    figures = source.sample(string.digits, 9)
    figures.insert(source.randint(0, 9), figures[source.randint(0, 8)])
    if figures[0] == "0":
        figures[0], other = figures[1], figures[0]
        figures[1] = other
    body = "".join(figures)
    whole = body + mod_11_10.calc_check_digit(body)
    return whole if idnr.is_valid(whole) else german(source)


def polish(source: random.Random) -> str:
    """PESEL."""
    body = "".join(day(source)) + digits(source, 4)
    return body + pesel.calc_check_digit(body)


def bulgarian(source: random.Random) -> str:
    """EGN."""
    body = "".join(day(source)) + digits(source, 3)
    return body + egn.calc_check_digit(body)


def dutch(source: random.Random) -> str:
    """BSN."""
    while True:
        number = digits(source, 9)
        if bsn.is_valid(number):
            return number


def spanish(source: random.Random) -> str:
    """DNI."""
    body = digits(source, 8)
    return body + dni.calc_check_digit(body)


PRINTED = (italian, finnish, french, chinese, swiss, brazilian, american, korean, swedish, belgian, chilean, indian)
PLAIN = (german, polish, bulgarian, dutch, spanish)


def any_of(forms: tuple[Form, ...]) -> Form:
    """A value of one of the forms."""
    return lambda source: source.choice(forms)(source)


FORMS: dict[str, tuple[str, Form]] = {
    "national_id/as printed, 12 countries": ("value", any_of(PRINTED)),
    "national_id/in a sentence": ("comment", written(any_of(PRINTED))),
    "national_id/plain, name tells": ("nationalId", any_of(PLAIN)),
    "national_id/plain, name does not tell": ("value", any_of(PLAIN)),
}


def identity_numbers(seed: int, each: int) -> Iterator[Labelled]:
    """``each`` values of every form."""
    yield from generate(FORMS, seed, each, Detector.NATIONAL_ID)
