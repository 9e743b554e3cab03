"""Compilers and grammars that generated code is checked with."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import tree_sitter_kotlin
import tree_sitter_swift
from tree_sitter import Language, Parser

from tests.clients.node import environment, install, program

__all__ = ["PEDANTIC", "check_kotlin", "check_python", "check_typescript", "syntax_errors"]

TYPESCRIPT = Path(__file__).parent / "typescript"
ROOT = Path(__file__).resolve().parents[2]
GRAMMARS = {"kotlin": tree_sitter_kotlin.language, "swift": tree_sitter_swift.language}
STRICT = (
    *("--strict", "--noEmit", "--target", "es2022", "--module", "nodenext", "--skipLibCheck", "--pretty", "false"),
)
# What else careful projects ask of code that they did not write.
PEDANTIC = (
    *("--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--noPropertyAccessFromIndexSignature"),
    *("--noUnusedParameters", "--noImplicitReturns", "--erasableSyntaxOnly"),
)


def check_typescript(folder: Path, files: Mapping[str, str], *options: str) -> str:
    """What ``tsc --strict`` says about the files; nothing if they are right."""
    install(TYPESCRIPT)
    for name, code in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(code)
    compiler = TYPESCRIPT / "node_modules" / "typescript" / "bin" / "tsc"
    command = [program("node"), str(compiler), *STRICT, *options, *files]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment())
    return ended.stdout + ended.stderr


def check_python(folder: Path, files: Mapping[str, str]) -> str:
    """What ``mypy --strict`` says about the files; nothing if they are right."""
    for name, code in files.items():
        (folder / name).write_text(code)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file", "", *files]
    ended = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=environment() | {"MYPYPATH": str(ROOT)}
    )
    return ended.stdout + ended.stderr


def check_kotlin(folder: Path, files: Mapping[str, str], *, apart: bool = True) -> str | None:
    """What ``kotlinc`` says about the files, warnings too; ``None`` where there is no such compiler.

    ``apart``, each is in a package of its own: specs of one name would otherwise define the same class twice.
    """
    compiler = shutil.which("kotlinc")
    if compiler is None:
        return None
    for index, (name, code) in enumerate(files.items()):
        own = re.sub(r"^package .*$", f"package generated{index}", code, flags=re.MULTILINE) if apart else code
        (folder / name).write_text(own)
    command = [compiler, "-Werror", "-progressive", *files, "-d", "classes"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return "" if ended.returncode == 0 else ended.stdout + ended.stderr


def syntax_errors(language: str, code: str) -> list[str]:
    """The places where the code is not of the language, by its grammar."""
    tree = Parser(Language(GRAMMARS[language]())).parse(code.encode())
    waiting, found = [tree.root_node], []
    while waiting:
        node = waiting.pop()
        if node.type == "ERROR" or node.is_missing:
            found.append(f"line {node.start_point.row + 1}: {(node.text or b'').decode(errors='replace')[:80]}")
        waiting.extend(node.children)
    return found
