"""The operations this server runs: one table for routing and for the CapabilityStatement.

R4's own definitions (`fhir_profiles/operations.py`) tell the known from the unknown: an operation
that R4 defines and this table leaves out is answered 501, an unknown one 404.
"""

from dataclasses import dataclass

from fhir_profiles import operations

# Stands for the base of this server in addresses of what it defines itself.
OWN_BASE = "https://base.invalid/fhir"

_R4 = "http://hl7.org/fhir/OperationDefinition/"


@dataclass(frozen=True, slots=True)
class OfferedOperation:
    """Where one operation may be called; `types` None stands for every type.

    `changes`: it writes for itself, be it only that it was called. So it is by POST alone, and in
    no transaction.
    """

    name: str
    definition: str
    levels: frozenset[str]
    types: frozenset[str] | None = None
    changes: bool = False


_SYSTEM = frozenset({"system"})
_INSTANCE = frozenset({"instance"})
_TYPE = frozenset({"type", "instance"})

# What concerns one of these is gathered by an operation that R4 does not define.
CARE_TYPES = frozenset({"CarePlan", "CareTeam", "EpisodeOfCare"})

OFFERED: tuple[OfferedOperation, ...] = (
    OfferedOperation("validate", f"{_R4}Resource-validate", _TYPE),
    OfferedOperation("meta", f"{_R4}Resource-meta", _TYPE | {"system"}),
    OfferedOperation("meta-add", f"{_R4}Resource-meta-add", _INSTANCE, changes=True),
    OfferedOperation("meta-delete", f"{_R4}Resource-meta-delete", _INSTANCE, changes=True),
    OfferedOperation("everything", f"{_R4}Patient-everything", _TYPE, frozenset({"Patient"})),
    # What it is asked by never stands in an address; each call is counted.
    OfferedOperation(
        "match", f"{_R4}Patient-match", frozenset({"type"}), frozenset({"Patient"}), changes=True
    ),
    OfferedOperation(
        "everything", f"{_R4}Encounter-everything", _INSTANCE, frozenset({"Encounter"})
    ),
    # R4 has none for these; they are ours: `interactions/own_definitions.py` says what they are.
    OfferedOperation(
        "everything", f"{OWN_BASE}/OperationDefinition/care-everything", _INSTANCE, CARE_TYPES
    ),
    *(
        OfferedOperation(
            name,
            f"{OWN_BASE}/OperationDefinition/{name}",
            _INSTANCE,
            frozenset({type}),
            changes=True,
        )
        for name, type in (
            ("access-at", "Patient"),
            ("break-glass", "Patient"),
            ("claim-relationship", "Patient"),
            ("delegate", "Patient"),
            ("review", "Task"),
        )
    ),
    OfferedOperation("reindex", f"{OWN_BASE}/OperationDefinition/reindex", _SYSTEM, changes=True),
    OfferedOperation("reindex-status", f"{OWN_BASE}/OperationDefinition/reindex-status", _SYSTEM),
)


def find(name: str, level: str, type: str | None) -> OfferedOperation | None:
    """Return the operation offered under this name at this place, if any."""
    for offered in OFFERED:
        if offered.name == name and level in offered.levels and _covers(offered, type):
            return offered
    return None


def changes(name: str) -> bool:
    """Tell whether an operation of this name writes for itself."""
    return any(offered.changes for offered in OFFERED if offered.name == name)


def names(level: str, type: str | None) -> list[str]:
    """Return the names that may be called at this place, sorted."""
    return sorted({o.name for o in OFFERED if level in o.levels and _covers(o, type)})


def for_type(type: str) -> list[OfferedOperation]:
    """Return the operations that a type's instances or the type itself offer."""
    return [o for o in OFFERED if o.levels & _TYPE and _covers(o, type)]


def is_defined(name: str) -> bool:
    """Return whether R4 defines an operation of this name anywhere."""
    return any(definition.name == name for definition in operations.all())


def _covers(offered: OfferedOperation, type: str | None) -> bool:
    return offered.types is None or type in offered.types
