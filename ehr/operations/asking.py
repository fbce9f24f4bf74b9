"""How an operation asks for rows: as its caller, who sees what a search would show."""

from typing import TYPE_CHECKING

from auth.principal import Principal
from ehr.record import Record
from ehr.search.plan.matches import Asking
from ehr.search.results.page import match_context, seen_by

if TYPE_CHECKING:
    from sqlalchemy import Connection


def asking_for(record: Record, principal: Principal, connection: "Connection") -> Asking:
    """Return what every statement of an operation needs."""
    return Asking(connection, seen_by(principal), match_context(record))
