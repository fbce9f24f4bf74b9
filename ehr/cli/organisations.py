"""Organizations that options name: whether the record has them, and what is said where not."""

from typing import TYPE_CHECKING

from ehr.cli.failures import refused

if TYPE_CHECKING:
    from ehr.store.engine import Database


def is_there(database: "Database", id: str) -> bool:
    """Tell whether the record has an Organization."""
    from ehr.store.locator import locate

    with database.read() as connection:
        found = locate(connection, [("Organization", id)]).values()
    return any(not place.reserved and not place.deleted for place in found)


def check_there(database: "Database", id: str | None) -> None:
    """Raise CommandError where an Organization is named that the record does not have."""
    if id and not is_there(database, id):
        raise refused(
            f"The record has no Organization/{id}.",
            "Nothing was changed.",
            "See `ehr get 'Organization?_elements=name'` for those that there are.",
        )
