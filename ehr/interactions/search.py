"""Search: over one type, over several, or in a compartment (FHIR R4 §3.1.0.9 and §3.1.1)."""

from typing import TYPE_CHECKING

from ehr.errors import Invalid
from ehr.interactions.provenance.told import with_told
from ehr.messages import Interaction, Params, Result, replace
from ehr.search.answer import answer
from ehr.search.explain.explanation import explanation
from ehr.search.grammar.query import parse
from ehr.search.plan.compartment import compartment_types
from ehr.search.request import Compartment, SearchRequest

if TYPE_CHECKING:
    from auth.principal import Principal
    from ehr.record import Record

_ALL_TYPES = "*"
_EXPLAIN = "_explain"


def search(record: "Record", principal: "Principal", interaction: Interaction) -> Result:
    """Answer a search with a searchset Bundle, or tell how it is answered."""
    if is_explained(interaction):
        asked = _request(record, replace(interaction, params=_searched(interaction)))
        return Result(status=200, body=explanation(record, principal, asked, interaction.base))
    found = answer(record, principal, _request(record, interaction), interaction.base)
    body = with_told(record, principal, interaction, found.body)
    return Result(status=200, body=body, shown=found.shown, found=found.found)


def is_explained(interaction: Interaction) -> bool:
    """Tell whether a search asks how it is answered, which is a right of its own."""
    asked = {value for name, value in interaction.params if name == _EXPLAIN}
    return bool(asked) and interaction.name in ("search-type", "search-system")


def _searched(interaction: Interaction) -> Params:
    """Return the parameters of the search itself."""
    asked = [value for name, value in interaction.params if name == _EXPLAIN]
    if asked != ["true"]:
        raise Invalid("`_explain` takes `true`, once. Without it the search is answered.")
    return tuple(pair for pair in interaction.params if pair[0] != _EXPLAIN)


def _request(record: "Record", interaction: Interaction) -> SearchRequest:
    """Return what is asked for, by what can be searched by now: another process may know better."""
    try:
        request = _read(record, interaction)
    except Invalid:
        if not record.definitions.refresh():
            raise
    else:
        if not request.ignored or not record.definitions.refresh():
            return request
    return _read(record, interaction)


def _read(record: "Record", interaction: Interaction) -> SearchRequest:
    one = interaction.type if interaction.type != _ALL_TYPES else None
    place: Compartment | None = None
    types: tuple[str, ...] = (one,) if one else ()
    if interaction.compartment is not None:
        place = Compartment(interaction.compartment, interaction.id or "", one)
        types = compartment_types(place)
    return parse(
        types,
        interaction.params,
        compartment=place,
        custom=record.definitions.custom,
        lenient=interaction.preferences.lenient,
        passes_over_empty=True,
    )
