"""read (R4 §3.1.0.1): the newest version by id, 304 where the caller has it, 410 once deleted."""

from auth.principal import Principal
from ehr.access import finding
from ehr.access.scope import scope_of
from ehr.errors import Gone, NotFound
from ehr.interactions import binary
from ehr.interactions.own_definitions import OWN_SINCE, OWN_VERSION, own_definition
from ehr.interactions.preconditions import check_read, is_fresh
from ehr.interactions.provenance.told import told
from ehr.messages import Instant, Interaction, Result, replace
from ehr.record import Record
from ehr.store.read import Stored


def read(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Return the newest version of a resource."""
    own = own_definition(interaction)
    if own is not None:
        return of_own(interaction, own)
    found = told(record, principal, interaction)
    if found is not None:
        return of_own(interaction, *found)
    return of_seen(record, interaction, present(record, principal, interaction))


def of_seen(record: Record, interaction: Interaction, row: Stored) -> Result:
    """Return the result for a row that the caller may see. Raises Gone."""
    refuse_deleted(row)
    check_read(interaction, row.version, row.last_updated)
    if is_fresh(interaction.preconditions, row.version, row.last_updated):
        return Result(
            status=304, version=row.version, last_modified=row.last_updated, shown=(row.item,)
        )
    if row.type == "Binary":
        return replace(binary.shown(record, interaction, row), shown=(row.item,))
    return Result(
        status=200,
        body=row.json(),
        version=row.version,
        last_modified=row.last_updated,
        shown=(row.item,),
        is_whole=row.is_whole,
    )


def of_own(interaction: Interaction, body: bytes, since: Instant = OWN_SINCE) -> Result:
    """Return the result for what the server defines or tells itself, which has one version."""
    check_read(interaction, OWN_VERSION, since)
    is_known = is_fresh(interaction.preconditions, OWN_VERSION, since)
    return Result(
        status=304 if is_known else 200,
        body=None if is_known else body,
        version=OWN_VERSION,
        last_modified=since,
    )


def present(
    record: Record, principal: Principal, interaction: Interaction, *, letters: str = "r"
) -> Stored:
    """Return the newest version of the resource in the address, if these letters permit it.

    Raises NotFound or Gone.
    """
    assert interaction.type is not None
    assert interaction.id is not None
    scope = scope_of(record.database, principal, letters)
    with record.database.read() as connection:
        row = finding.newest(connection, scope, interaction.type, interaction.id)
    if row is None:
        raise NotFound(not_found(interaction))
    refuse_deleted(row)
    return row


def refuse_deleted(row: Stored) -> None:
    """Raise Gone for a row that was deleted."""
    if row.deleted:
        raise Gone(
            f"{row.type}/{row.id} was deleted. Earlier versions are in its _history.",
            headers=(("ETag", f'W/"{row.version}"'),),
        )


def not_found(interaction: Interaction) -> str:
    """Return the one text for what is not there and what may not be seen."""
    return f"There is no {interaction.type}/{interaction.id}."
