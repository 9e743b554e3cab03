"""Identity and tax numbers of persons: those whose form and check digits hardly anything else has."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from stdnum.be import nn
from stdnum.bg import egn
from stdnum.br import cpf
from stdnum.ch import ssn as ahv
from stdnum.cl import rut
from stdnum.cn import ric
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.ee import ik
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.gr import amka
from stdnum.hr import oib
from stdnum.ie import pps
from stdnum.il import idnr as teudat_zehut
from stdnum.in_ import aadhaar, pan
from stdnum.it import codicefiscale
from stdnum.kr import rrn
from stdnum.mx import curp
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.pt import cc
from stdnum.ro import cnp
from stdnum.se import personnummer
from stdnum.tr import tckimlik
from stdnum.us import ssn
from stdnum.za import idnr as south_african

__all__ = ["has_national_id", "is_national_id"]

Check = Callable[[str], bool]


class _Form(NamedTuple):
    """A way to write a number, and whether a number that is written so is right."""

    pattern: re.Pattern[str]
    is_valid: Check


def _form(pattern: str, is_valid: Check) -> _Form:
    return _Form(re.compile(rf"(?<![\w.+/-])(?:{pattern})(?![\w/-])(?!\.\d)", re.ASCII), is_valid)


# What is told without help: letters in fixed places, a date with its own separator, or so many check digits that one
# random number of its length in a hundred passes at most. Plain runs of 8 to 13 digits need the name of the property.
_FORMS: Final = (
    _form(r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]", codicefiscale.is_valid),
    _form(r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z\d]\d", curp.is_valid),
    _form(r"\d{6}[-+A-FU-Y]\d{3}[\dA-Z]", hetu.is_valid),
    _form(r"[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}", nir.is_valid),
    _form(r"\d{6}(?:19|20)\d{2}[01]\d[0-3]\d{4}[\dX]", ric.is_valid),
    _form(r"756(\.?)\d{4}\1\d{4}\1\d{2}", ahv.is_valid),
    _form(r"\d{3}\.\d{3}\.\d{3}-\d{2}", cpf.is_valid),
    _form(r"\d{3}-\d{2}-\d{4}", ssn.is_valid),
    _form(r"\d{6}-[1-8]\d{6}", rrn.is_valid),
    _form(r"(?:\d{2})?\d{6}[-+]\d{4}", personnummer.is_valid),
    _form(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", nn.is_valid),
    _form(r"\d{6}/\d{4}", rc.is_valid),
    _form(r"\d{1,2}\.\d{3}\.\d{3}-[\dkK]", rut.is_valid),
    _form(r"[XYZ]-?\d{7}-?[A-Z]", nie.is_valid),
    _form(r"\d{8}-[A-Z]", dni.is_valid),
    _form(r"[2-9]\d{3} \d{4} \d{4}", aadhaar.is_valid),
)
_WHOLE: Final = re.compile(r"[A-Za-z\d][A-Za-z\d ./-]{6,24}\Z", re.ASCII)
# Where the name of the property says that it holds such a number.
_NAMED: Final[tuple[Check, ...]] = (
    *(form.is_valid for form in _FORMS),
    *(egn.is_valid, idnr.is_valid, cpr.is_valid, ik.is_valid, nhs.is_valid, amka.is_valid, oib.is_valid, pps.is_valid),
    *(teudat_zehut.is_valid, pan.is_valid, bsn.is_valid, fodselsnummer.is_valid, pesel.is_valid, cc.is_valid),
    *(cnp.is_valid, tckimlik.is_valid, south_african.is_valid),
)


def has_national_id(text: str) -> bool:
    """Whether the text holds a person's identity number in a form that hardly anything else has."""
    return any(form.is_valid(found[0]) for form in _FORMS for found in form.pattern.finditer(text))


def is_national_id(text: str) -> bool:
    """Whether the whole text is right as an identity or tax number of a person in one of 31 countries."""
    return _WHOLE.match(text) is not None and any(is_valid(text) for is_valid in _NAMED)
