"""Whose record somebody may open who has nothing to do with it yet.

A patient who is not in use, is locked, or keeps this person out by name, is answered as one who is
not there.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ehr.access.consents.shut_out import is_shut_out
from ehr.access.relationships.known import emergencies, relationships_to
from ehr.errors import NotFound
from ehr.interactions.access.concerned import Concerned, patient_in_use, with_teams
from ehr.interactions.read import not_found
from ehr.messages import Interaction, Item, Resource
from ehr.operations.opening.calling import Call

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ehr.access.relationships import Relationship


@dataclass(frozen=True, slots=True)
class Opened:
    """A patient who is in use, with all the relationships and CareTeams there are."""

    item: Item  # where it lies
    concerned: Concerned
    relationships: "tuple[Relationship, ...]"

    @property
    def patient(self) -> Resource:
        """The patient as a resource."""
        return self.concerned.patient

    @property
    def name(self) -> str:
        """How Tasks name the patient."""
        return self.concerned.name

    def emergencies(self, person: str, since: int) -> int:
        """Return how often a person has opened the record in an emergency since a moment."""
        return emergencies(self.relationships, person, since)


def find(call: Call) -> Opened:
    """Return the patient in the address. Raises NotFound for one whom nobody opens so."""
    with call.record.database.read() as connection:
        item, patient = _in_use(connection, call.interaction)
        key = item[0]
        if is_shut_out(connection, key, call.person, call.terms, call.at):
            raise NotFound(not_found(call.interaction))
        concerned = with_teams(connection, patient, key)
        return Opened(item, concerned, relationships_to(connection, key))


def _in_use(connection: "Connection", interaction: Interaction) -> tuple[Item, Resource]:
    found = patient_in_use(connection, interaction.id or "")
    if found is None:
        raise NotFound(not_found(interaction))
    return found
