"""The resource that an operation at instance level is about."""

from auth.principal import Principal
from ehr.interactions.read import present
from ehr.messages import Interaction
from ehr.record import Record
from ehr.store import read
from ehr.store.read import Stored


def nominated(record: Record, principal: Principal, interaction: Interaction) -> Stored:
    """Return the newest version of the resource in the address. Raises NotFound or Gone."""
    assert interaction.type is not None
    assert interaction.id is not None
    with record.database.read() as connection:
        row = read.newest(connection, interaction.type, interaction.id)
    return present(record, principal, interaction, row)
