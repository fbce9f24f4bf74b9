"""vread (R4 §3.1.0.2): one version by its number, also when a later one replaced or deleted it."""

from auth.principal import Principal
from ehr.access import finding
from ehr.access.scope import scope_of
from ehr.errors import NotFound
from ehr.interactions.own_definitions import OWN_VERSION, own_definition
from ehr.interactions.provenance.told import told
from ehr.interactions.read import of_own, of_seen
from ehr.messages import Interaction, Result
from ehr.record import Record

_LARGEST = 2**31 - 1


def vread(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Return one version of a resource; the version that deleted it is Gone."""
    assert interaction.type is not None
    assert interaction.id is not None
    text = interaction.version or ""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= _LARGEST:
        raise NotFound(f"There is no version `{text}`. Versions are numbers from 1.")
    own = own_definition(interaction)
    if own is not None and int(text) == OWN_VERSION:
        return of_own(interaction, own)
    found = told(record, principal, interaction) if int(text) == OWN_VERSION else None
    if found is not None:
        return of_own(interaction, *found)
    scope = scope_of(record.database, principal, "r")
    with record.database.read() as connection:
        row = finding.version(connection, scope, interaction.type, interaction.id, int(text))
    if row is None:
        raise NotFound(
            f"There is no version {text} of {interaction.type}/{interaction.id}. "
            "Its _history lists the versions there are."
        )
    return of_seen(record, interaction, row)
