"""Python modules that define a spec with the types of the core; they are read without being run."""

from telemetry.formats.python_module.reading import NAME, is_python_module, read_python_modules
from telemetry.formats.python_module.writing import write_python_module

__all__ = ["NAME", "is_python_module", "read_python_modules", "write_python_module"]
