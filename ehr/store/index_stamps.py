"""By which definitions the index rows of a resource were made: `resource.index_version`.

The one number tells two things. `INDEX_VERSION` is this release's way of extracting; the
*generation* counts the sets of search parameters that the record has been indexed by: it grows when
`$reindex` begins to index by others. A transaction reads the generation that is in force while it
writes (`feed.open_txn`), so none can add rows of an earlier one unnoticed.
"""

from ehr.store.drafts import INDEX_VERSION

_RELEASES = 1000  # no release has a higher INDEX_VERSION


def stamp(generation: int) -> int:
    """Return the number for rows that this release makes by the definitions of a generation."""
    return generation * _RELEASES + INDEX_VERSION


def generation_of(number: int) -> int:
    """Return the generation that rows were made by."""
    return number // _RELEASES


def is_of_this_release(number: int) -> bool:
    """Tell whether this release would make the same rows by the same definitions."""
    return number % _RELEASES == INDEX_VERSION


def behind_in_sql(changed_in: int, column: str = "r.index_version") -> str:
    """Return the condition that rows are to be made again, for a type that changed last then."""
    first = changed_in * _RELEASES
    release = f"{column} - {column} / {_RELEASES} * {_RELEASES}"  # drivers read a % as a mark
    return f"({column} < {first} OR {release} <> {INDEX_VERSION})"
