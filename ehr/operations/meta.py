"""$meta (R4 §3.2.0.2): the meta of one resource, or all labels in use on a type or everywhere."""

from auth.principal import Principal
from ehr.interactions.read import present
from ehr.messages import Interaction, Result
from ehr.operations import given
from ehr.record import Record
from ehr.search.asking import asking_for
from ehr.search.labels_in_use import labels_in_use
from fhir_profiles import json_format


def meta(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Return a Parameters with the Meta that was asked for."""
    given.texts(interaction, ())
    if interaction.id is None:
        with record.database.read() as connection:
            in_use = labels_in_use(asking_for(record, principal, connection), interaction.type)
        return Result(status=200, body=given.returned(in_use))
    row = present(record, principal, interaction)
    return Result(
        status=200,
        body=given.returned(json_format.reparse(row.json())["meta"]),
        version=row.version,
        last_modified=row.last_updated,
        shown=(row.item,),
    )
