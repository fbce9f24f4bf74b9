"""What an interaction would pass over is refused, unless the caller asked for lenient handling.

Searches, histories and operations judge their own parameters. Reads and Bundles refuse what they do
not know. Writes refuse criteria that stand where nobody reads them, such as
`PUT Patient/1?identifier=…`: to ignore a condition is dangerous, to ignore a word that means
nothing is not.
"""

from collections.abc import Mapping

from ehr.errors import PASSED_OVER, Invalid
from ehr.messages import Interaction
from fhir_profiles import search_parameters

_SHAPING = frozenset({"_elements", "_summary"})
_KNOWN: Mapping[str, frozenset[str]] = {
    "capabilities": _SHAPING | {"mode"},
    "read": _SHAPING,
    "vread": _SHAPING,
    "batch": frozenset(),
    "transaction": frozenset(),
}
# Without an id in the address, their parameters are a condition.
_CHANGES = frozenset({"update", "patch", "delete"})
_WRITES = _CHANGES | {"create", "transaction"}


def refuse_unheeded(interaction: Interaction) -> None:
    """Raise Invalid for parameters and conditions that the interaction would not heed."""
    name = interaction.name
    if name in _CHANGES and interaction.preconditions.if_none_exist is not None:
        raise Invalid(
            "If-None-Exist is the condition of a create. Use POST, or write the condition into the "
            "address: [type]?criteria.",
            expression="If-None-Exist",
        )
    if interaction.provenance is not None and name not in _WRITES:
        raise Invalid(
            "X-Provenance goes with a create, update, patch, delete or transaction. In a batch, "
            "send each write that it tells of by itself.",
            code="not-supported",
            expression="X-Provenance",
        )
    if not interaction.params or interaction.preferences.lenient:
        return
    if name in _KNOWN:
        _refuse_unknown(interaction, _KNOWN[name])
    elif name == "create" or (name in _CHANGES and interaction.id is not None):
        _refuse_criteria(interaction)


def _refuse_unknown(interaction: Interaction, known: frozenset[str]) -> None:
    for name, _ in interaction.params:
        if name not in known:
            what = "metadata" if interaction.name == "capabilities" else f"a {interaction.name}"
            raise Invalid(
                f"`{name[:80]}` is no parameter of {what}. "
                f"Possible: {', '.join(sorted(known)) or 'none'}. {PASSED_OVER}",
                code="not-supported",
                expression=name[:80],
            )


def _refuse_criteria(interaction: Interaction) -> None:
    known = search_parameters.for_type(interaction.type or "")
    for name, _ in interaction.params:
        if name.partition(":")[0].partition(".")[0] in known:
            instead = (
                "send it in If-None-Exist"
                if interaction.name == "create"
                else f"send it to {interaction.type}?{name[:80]}=…, without an id"
            )
            raise Invalid(
                f"`{name[:80]}` is a condition and is not read here. To make this conditional, "
                f"{instead}. Otherwise leave it out.",
                code="not-supported",
                expression=name[:80],
            )
