"""Every format: what is written and read again is equal, up to the report of the writing."""

from pathlib import Path

import pytest
from hypothesis import given

from telemetry.core.codec import decode_spec
from telemetry.core.spec import TelemetrySpec
from telemetry.core.validation import check_spec
from telemetry.formats.building import ImportOptions
from telemetry.formats.catalogue import FORMATS, import_files
from telemetry.formats.sources import SourceFile
from tests.core import strategies
from tests.formats.fidelity import differences
from tests.formats.real_files import DATA, REAL, files_of
from tests.formats.samples import SAMPLES

ROOT = Path(__file__).resolve().parents[2]
SIGIL = ROOT / "examples" / "sigil.telemetry.yaml"
SEED = Path(__file__).parent / "seed.telemetry.ts"


@pytest.mark.parametrize("name", FORMATS)
@given(spec=strategies.specs())
def test_a_spec_that_is_written_and_read_again_is_equal_up_to_the_report(name: str, spec: TelemetrySpec) -> None:
    exported = FORMATS[name].write(spec)
    if not exported.files:
        # A folder of schemas of no events is no folder.
        assert spec.events == ()
        return

    _, imported = import_files(exported.files, ImportOptions(), format_=name)

    [again] = imported.specs
    assert check_spec(again) == ()
    assert differences(spec, again, exported.report.losses) == []


@pytest.mark.parametrize("name", [*SAMPLES, *REAL])
def test_a_plan_that_is_imported_written_and_read_again_is_equal_up_to_the_report(name: str) -> None:
    format_, files = files_of(name)
    _, imported = import_files(files, ImportOptions(), format_=format_)
    for spec in imported.specs:
        exported = FORMATS[format_].write(spec)

        if not exported.files:
            assert spec.events == ()
            continue
        [again] = import_files(exported.files, ImportOptions(), format_=format_)[1].specs
        assert differences(spec, again, exported.report.losses) == []


@pytest.mark.skipif(not DATA.is_dir(), reason="there is no data beside the checkout")
@pytest.mark.parametrize("folder", ["segment", "rudderstack", "glean", "otel", "iglu"])
def test_every_real_file_imports_by_itself_with_its_format_guessed(folder: str) -> None:
    for path in sorted(path for path in (DATA / folder).rglob("*") if path.is_file()):
        file = SourceFile(path.name, path.read_bytes())

        format_, imported = import_files([file], ImportOptions())

        assert format_.name == folder
        assert all(check_spec(spec) == () for spec in imported.specs)
        assert imported.report.losses


@pytest.mark.parametrize("name", ["contractspec", "python", "json-schema", "otel"])
def test_formats_that_can_say_all_lose_nothing_of_the_seed(name: str) -> None:
    spec = decode_spec(SIGIL.read_bytes())

    exported = FORMATS[name].write(spec)
    _, imported = import_files(exported.files, ImportOptions(), format_=name)

    assert exported.report.losses == ()
    assert imported.specs == (spec,)


def test_the_seeds_own_file_imports_without_any_loss() -> None:
    _, imported = import_files([SourceFile("sigil.telemetry.ts", SEED.read_bytes())], ImportOptions())

    assert imported.specs == (decode_spec(SIGIL.read_bytes()),)
    assert imported.report.losses == ()


@given(spec=strategies.specs())
def test_writing_is_deterministic(spec: TelemetrySpec) -> None:
    for format_ in FORMATS.values():
        assert format_.write(spec) == format_.write(spec)
