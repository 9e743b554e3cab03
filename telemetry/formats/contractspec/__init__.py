"""TypeScript files of ContractSpec that define a telemetry spec, as the seed shows one."""

from telemetry.formats.contractspec.reading import NAME, is_contract_spec, read_contract_specs
from telemetry.formats.contractspec.writing import write_contract_spec

__all__ = ["NAME", "is_contract_spec", "read_contract_specs", "write_contract_spec"]
