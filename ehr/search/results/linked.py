"""Rows that includes lead to, before their bodies are fetched."""

from dataclasses import dataclass

from ehr.search.matching import KeyAndRow


@dataclass(frozen=True, slots=True)
class Linked:
    """A row that a reference leads to or comes from; `version` where the reference names one."""

    type: str
    place: KeyAndRow
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Included:
    """What to fetch beside the matches. `cut`: there was more than the server follows."""

    rows: tuple[Linked, ...]
    cut: bool = False
