"""`released` and `told`: what a patient may see, now that it was explained or its time has come."""

from sqlalchemy import ColumnElement, and_, not_

from ehr.access.rows import Row
from fhir_profiles.facets import mask

_TO_BE_DISCUSSED = mask("TBOO")


def is_released(row: Row) -> ColumnElement[bool]:
    """Return the condition that nothing holds a row back from the patient."""
    return and_(not_(row.has_any(_TO_BE_DISCUSSED)), row.is_out())


def is_told(row: Row) -> ColumnElement[bool]:
    """Return the condition that a row was given a release time, which has passed."""
    return and_(row.row.c.release_at.is_not(None), is_released(row))
