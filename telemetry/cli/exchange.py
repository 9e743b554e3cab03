"""``studio push`` and ``studio pull``: drafts as files, and back, without overwriting what nobody has seen."""

from pathlib import Path
from typing import Annotated

import typer

from telemetry.cli.files import spec_file_name, write_file
from telemetry.cli.pulled import Pulled, is_unchanged, read_pulled, with_pulled
from telemetry.cli.remote import Draft, KeyOption, Studio, StudioOption, open_studio
from telemetry.cli.sources import STANDARD_INPUT, read_bytes
from telemetry.cli.terminal import console, printable
from telemetry.core.codec import checksum, decode_spec, spec_to_yaml
from telemetry.core.errors import Conflict, InvalidDocument, UnknownSpec
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.sources import invalid

__all__ = ["pull", "push"]


def pull(
    name: Annotated[str, typer.Argument(help="Name of the spec.", metavar="NAME")],
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="NAME.telemetry.yaml unless said.", metavar="FILE")
    ] = None,
    version: Annotated[int | None, typer.Option(help="A published version, in place of the draft.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that was changed.")] = False,
    studio: StudioOption = None,
    key: KeyOption = None,
) -> None:
    """Write the draft of a spec into a file, which `push` sends back.

    A file that was changed since it was pulled is not overwritten.
    """
    target = output or spec_file_name(name)
    _refuse_changed(target, force=force)
    remote = open_studio(studio, key)
    if version is not None:
        write_file(target, spec_to_yaml(decode_spec(remote.version(name, version))).encode())
        _say(f"{name} version {version} -> {target}")
        return
    draft = remote.draft(name)
    if draft is None:
        raise UnknownSpec(f"the studio has no spec {name}")
    spec = decode_spec(draft.document, format="yaml")
    write_file(target, with_pulled(draft.document, Pulled(remote.url, draft.tag, checksum(spec))))
    _say(f"draft {draft.tag} of {name} -> {target}")


def _refuse_changed(target: str, *, force: bool) -> None:
    if target == STANDARD_INPUT or force or not Path(target).exists():
        return
    if not is_unchanged(read_bytes(target)):
        raise invalid(
            "changed",
            "has changes of its own; pull into another file, or overwrite it with --force",
            what=f"file {target}",
        )


def push(
    source: Annotated[str, typer.Argument(help="A spec as YAML or JSON.", metavar="FILE")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite the draft, whatever it says now.")] = False,
    publish: Annotated[
        str | None, typer.Option(help="Publish the draft as well; in words, what has changed.", metavar="SUMMARY")
    ] = None,
    studio: StudioOption = None,
    key: KeyOption = None,
) -> None:
    """Make the draft of a spec say what a file says; a spec that is new is created.

    The draft must be as it was when the file was pulled; otherwise nothing changes, and the exit code is 2.
    """
    document = read_bytes(source)
    spec = _decode(source, document)
    remote = open_studio(studio, key)
    tag = _save(remote, source, document, spec, force=force)
    if source != STANDARD_INPUT and not document.lstrip().startswith(b"{"):
        write_file(source, with_pulled(document, Pulled(remote.url, tag, checksum(spec))))
    if publish is not None:
        number = remote.publish(spec.meta.name, tag, publish)
        _say(f"{spec.meta.name} version {number} is published")


def _decode(source: str, document: bytes) -> TelemetrySpec:
    try:
        return decode_spec(document)
    except InvalidDocument as error:
        raise InvalidDocument(error.errors, what=f"telemetry spec in {source}") from None


def _save(remote: Studio, source: str, document: bytes, spec: TelemetrySpec, *, force: bool) -> str:
    """The tag of the draft once it says what the document says."""
    name = spec.meta.name
    current = remote.draft(name)
    if current is None:
        tag = remote.create(document)
        _say(f"{source} -> new spec {name}, draft {tag}")
        return tag
    if checksum(decode_spec(current.document, format="yaml")) == checksum(spec):
        _say(f"{source}: draft {current.tag} of {name} says the same already")
        return current.tag
    seen = current.tag if force else _seen(remote, source, document, name, current)
    tag = remote.replace(name, document, seen) or ""
    if not tag:
        raise _stale(source, name, seen, current.tag)
    _say(f"{source} -> draft {tag} of {name}")
    return tag


def _seen(remote: Studio, source: str, document: bytes, name: str, current: Draft) -> str:
    """The tag of the state that the file was made from; ``Conflict`` if nobody knows, or it is not the current one."""
    pulled = read_pulled(document)
    if pulled is None or pulled.url != remote.url:
        raise Conflict(
            f"{source} was not pulled from {remote.url}, which has a draft of {name} already: pull that into another "
            "file and merge them, or overwrite the draft with --force"
        )
    if pulled.tag != current.tag:
        raise _stale(source, name, pulled.tag, current.tag)
    return pulled.tag


def _stale(source: str, name: str, seen: str, current: str) -> Conflict:
    return Conflict(
        f"somebody changed the draft of {name}: {source} was made from {seen}, now it is {current}; pull it into "
        "another file (studio pull --output FILE), see what differs (studio diff) and merge, or overwrite with --force"
    )


def _say(line: str) -> None:
    console(is_error=True).print(printable(line))
