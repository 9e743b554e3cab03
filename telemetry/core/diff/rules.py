"""Every way in which a spec can change, with its class and the reason for it.

A class is judged from three sides: apps that send events planned for the old version, people who read stored events,
and the people whom events are about. *Breaking*: events of such apps are refused, or what readers were promised is no
longer there. *Risky*: nobody is refused, but readers get something else than before, or personal data is protected
less, kept longer, or goes to another place. *Safe*: neither. ``docs/compatibility.md`` has an example of each.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from telemetry.core.enums import ChangeClass

__all__ = ["RULES", "Rule"]


class Rule(NamedTuple):
    """How bad a change is, and why."""

    severity: ChangeClass
    reason: str


def _breaking(reason: str) -> Rule:
    return Rule(ChangeClass.BREAKING, reason)


def _risky(reason: str) -> Rule:
    return Rule(ChangeClass.RISKY, reason)


def _safe(reason: str) -> Rule:
    return Rule(ChangeClass.SAFE, reason)


# By name; names are public: the API, the command line and the documentation use them.
RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        # Anywhere
        "restated": _safe("It says in another way what held before."),
        "order_changed": _safe("Order is for people; nothing else depends on it."),
        "wording_changed": _safe("Texts are for people; nothing that is sent, kept or shown depends on them."),
        "labels_changed": _safe("Labels help to find things; they change neither what is sent nor what is kept."),
        "owners_changed": _safe("It says whom to ask."),
        # The spec
        "spec_renamed": _breaking("Apps and tenants are bound to a spec by its name."),
        "version_changed": _safe("Each version has its number."),
        "stability_changed": _safe("It says how settled the spec is; its rules hold as they are."),
        # What holds for all events
        "undeclared_quarantined": _breaking("Events with a property that is not declared are refused from now on."),
        "undeclared_tightened": _risky("Less of what is not declared reaches readers."),
        "undeclared_loosened": _risky("More of what nobody has judged is passed on, personal data included."),
        "quarantine_opened": _risky("Refused events are held whole for some days, personal data included."),
        "quarantine_lengthened": _risky("Refused events, personal data included, are held for longer."),
        "quarantine_shortened": _safe("Refused events are held for fewer days, or not at all; readers never saw them."),
        "detected_masked": _risky("Values that readers saw may be hidden from now on."),
        "detected_passed": _risky("Values that read like personal data are passed on from now on."),
        "provider_added": _risky("Events go to one more place."),
        "provider_removed": _risky("Readers at that place get no more events."),
        "provider_changed": _risky("Events may go to another place than before."),
        # Events
        "event_added": _safe("No app sends it yet, and nobody reads it."),
        "personal_event_added": _risky("Personal data is collected that was not collected before."),
        "event_version_added": _risky("Apps that send the event without a version are judged by its newest one."),
        "event_removed": _breaking("Apps that still send it are refused, and readers get no more of it."),
        "deprecation_changed": _safe("The event is taken and treated as before."),
        "review_changed": _safe("It says when somebody looks at the event again."),
        "lint_exception_changed": _safe("It says which advice does not apply."),
        "privacy_lowered": _risky("The level protects less."),
        "privacy_raised": _safe("Both levels hide the same: what is flagged."),
        "privacy_raised_to_personal": _risky("Values that readers saw are hidden from now on."),
        # Properties
        "required_property_added": _breaking("Events of apps that do not know the property are refused."),
        "optional_property_added": _safe(
            "Apps may leave it out. One that already sends the name has its value checked."
        ),
        "personal_property_added": _risky("Personal data is collected that was not collected before."),
        "required_property_removed": _breaking("Readers were promised it with every event."),
        "optional_property_removed": _risky("Readers get no more of it; they never got it with every event."),
        "quarantined_property_removed": _breaking(
            "Events that still carry it are refused, as they are with any property that is not declared."
        ),
        "hidden_property_released": _risky("What was hidden is passed on, as everything is that is not declared."),
        "type_changed": _breaking("Events with a value of the old type are refused, and readers expect that type."),
        "type_widened": _breaking(
            "Old values are still taken, but readers get values that the old type did not admit."
        ),
        "became_required": _breaking("Events of apps that leave the property out are refused."),
        "became_optional": _risky("Readers were promised the property with every event."),
        "values_narrowed": _breaking("Events with a value that is no longer allowed are refused."),
        "values_widened": _risky("Readers get values that they were told would not come."),
        "unit_declared": _safe("It says what the numbers always counted."),
        "unit_changed": _breaking(
            "Numbers before and after the change count different things, and readers add them up."
        ),
        "unit_withdrawn": _risky("Readers no longer know what the numbers count."),
        "redaction_loosened": _risky("Values are hidden less, or in a way that shows something new about them."),
        "redaction_tightened": _risky("Values that readers saw are hidden from now on."),
        "pii_flag_cleared": _risky("The values are hidden as before, but no longer count as personal data."),
        # Retention
        "retention_shortened": _risky("Stored events go earlier than readers were told."),
        "retention_lengthened": _safe("Events are there for longer, and none holds personal data."),
        "personal_retention_lengthened": _risky("Personal data is kept for longer."),
        "archive_dropped": _risky("What is past its days is gone, and no archive has it."),
        "archive_added": _safe("Events are kept in an archive, and none holds personal data."),
        "personal_archive_added": _risky("Personal data is kept in an archive."),
        # Sampling
        "sampling_lowered": _risky("Fewer events are kept: counts that do not weigh by probability drop."),
        "sampling_raised": _safe("More events are kept; nested samples keep every subject that they had."),
        "conditions_changed": _risky("Other events are sampled than before."),
        # Anomalies
        "anomaly_rules_changed": _safe("Anomaly rules look at events; they change none."),
        "anomaly_rule_added": _safe("Anomaly rules look at events; they change none."),
        "anomaly_rule_changed": _safe("Anomaly rules look at events; they change none."),
        "anomaly_rule_removed": _safe("Anomaly rules look at events; they change none."),
        "threshold_added": _safe("Anomaly rules look at events; they change none."),
        "threshold_changed": _safe("Anomaly rules look at events; they change none."),
        "threshold_removed": _safe("Anomaly rules look at events; they change none."),
    }
)
