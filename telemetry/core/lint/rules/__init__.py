"""All lint rules, by name. Names are public: opt-outs, the API and the documentation use them."""

from collections.abc import Mapping
from itertools import chain
from types import MappingProxyType
from typing import Final

from telemetry.core.lint.rule import Rule
from telemetry.core.lint.rules.anomalies import ANOMALY_RULES
from telemetry.core.lint.rules.conditions import CONDITION_RULES
from telemetry.core.lint.rules.contracts import CONTRACT_RULES
from telemetry.core.lint.rules.lifecycle import LIFECYCLE_RULES
from telemetry.core.lint.rules.likeness import LIKENESS_RULES
from telemetry.core.lint.rules.meaning import MEANING_RULES
from telemetry.core.lint.rules.naming import NAMING_RULES
from telemetry.core.lint.rules.opt_outs import OPT_OUT_RULES
from telemetry.core.lint.rules.ownership import OWNERSHIP_RULES
from telemetry.core.lint.rules.privacy import PRIVACY_RULES
from telemetry.core.lint.rules.properties import PROPERTY_RULES
from telemetry.core.lint.rules.providers import PROVIDER_RULES
from telemetry.core.lint.rules.redaction import REDACTION_RULES
from telemetry.core.lint.rules.retention import RETENTION_RULES
from telemetry.core.lint.rules.sampling import SAMPLING_RULES

__all__ = ["OPTIONAL_RULES", "RULES"]

_OPTIONAL: Final = (
    *PRIVACY_RULES,
    *REDACTION_RULES,
    *RETENTION_RULES,
    *SAMPLING_RULES,
    *CONDITION_RULES,
    *ANOMALY_RULES,
    *MEANING_RULES,
    *NAMING_RULES,
    *LIKENESS_RULES,
    *PROPERTY_RULES,
    *OWNERSHIP_RULES,
    *LIFECYCLE_RULES,
    *CONTRACT_RULES,
    *PROVIDER_RULES,
)
# Rules that an event may opt out of, in the order in which findings at one place are listed.
OPTIONAL_RULES: Final[Mapping[str, Rule]] = MappingProxyType({rule.name: rule for rule in _OPTIONAL})
RULES: Final[Mapping[str, Rule]] = MappingProxyType({rule.name: rule for rule in chain(_OPTIONAL, OPT_OUT_RULES)})
