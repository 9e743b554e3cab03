"""The line in generated code that says what it was generated from, and whether somebody has changed it since."""

import hashlib
import re
from typing import Final, NamedTuple

__all__ = ["CodeMark", "is_untouched", "mark", "read_mark"]

_BODY: Final = "0" * 64
_MARK: Final = re.compile(
    r"studio generate (?P<language>[a-z-]+) \| (?P<name>[a-z0-9_.-]+)@(?P<version>[0-9]{1,10}) \| "
    r"spec sha256:(?P<spec>[0-9a-f]{64}) \| code sha256:(?P<code>[0-9a-f]{64})"
)


class CodeMark(NamedTuple):
    """Language, name and version of the spec, the checksum of the spec, and that of the code itself, in hex."""

    language: str
    name: str
    version: int
    spec_checksum: str
    code_checksum: str

    @property
    def text(self) -> str:
        """The mark as it stands in code."""
        return (
            f"studio generate {self.language} | {self.name}@{self.version} | "
            f"spec sha256:{self.spec_checksum} | code sha256:{self.code_checksum}"
        )


def mark(language: str, name: str, version: int, spec_checksum: str) -> CodeMark:
    """The mark of code that is not written yet; ``sign`` puts in the checksum of the code."""
    return CodeMark(language, name, version, spec_checksum, _BODY)


def sign(code: str) -> str:
    """The code with its own checksum in its mark."""
    return code.replace(f"code sha256:{_BODY}", f"code sha256:{_digest(code)}", 1)


def _digest(code: str) -> str:
    """Of the code with zeros in place of its checksum, and with plain line ends."""
    plain = _MARK.sub(lambda found: found[0].replace(found["code"], _BODY), code.replace("\r\n", "\n"), count=1)
    return hashlib.sha256(plain.encode()).hexdigest()


def read_mark(code: str) -> CodeMark | None:
    """The mark in the code, if it has one."""
    found = _MARK.search(code)
    if found is None:
        return None
    return CodeMark(found["language"], found["name"], int(found["version"]), found["spec"], found["code"])


def is_untouched(code: str) -> bool:
    """Whether the code is as it was generated."""
    found = read_mark(code)
    return found is not None and _digest(code) == found.code_checksum
