"""What a write answers: the version it made, with its address."""

from ehr.messages import Result
from ehr.store.bodies import compose
from ehr.store.drafts import Written


def of_written(written: Written, *, whole: bool = True) -> Result:
    """Return the result of one write; `whole` False leaves out the resource nobody asked for."""
    place = f"{written.type}/{written.id}/_history/{written.version}"
    if written.status == 204:
        return Result(status=204, version=written.version, last_modified=written.last_updated)
    return Result(
        status=written.status,
        body=_body(written) if whole else None,
        version=written.version,
        last_modified=written.last_updated,
        location=place,
    )


def _body(written: Written) -> bytes:
    return compose(written.type, written.id, written.version, written.last_updated, written.stored)
