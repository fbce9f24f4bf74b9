"""Search: over one type, over several, or in a compartment (FHIR R4 §3.1.0.9 and §3.1.1)."""

from typing import TYPE_CHECKING

from ehr.messages import Interaction, Result
from ehr.search.answer import answer
from ehr.search.grammar.query import parse
from ehr.search.plan.compartment import compartment_types
from ehr.search.request import Compartment, SearchRequest

if TYPE_CHECKING:
    from auth.principal import Principal
    from ehr.record import Record

_ALL_TYPES = "*"


def search(record: "Record", principal: "Principal", interaction: Interaction) -> Result:
    """Answer a search with a searchset Bundle."""
    body = answer(record, principal, _request(interaction), interaction.base)
    return Result(status=200, body=body)


def _request(interaction: Interaction) -> SearchRequest:
    lenient = interaction.preferences.lenient
    one = interaction.type if interaction.type != _ALL_TYPES else None
    if interaction.compartment is None:
        return parse((one,) if one else (), interaction.params, lenient=lenient)
    place = Compartment(interaction.compartment, interaction.id or "", one)
    return parse(compartment_types(place), interaction.params, compartment=place, lenient=lenient)
