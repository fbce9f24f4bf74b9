"""K3: who takes part in an Encounter, and the organisation that provides it.

Live from arrival on; for a while after it is finished, counted from the end of the period. Planned,
cancelled, unknown and entered-in-error Encounters open nothing. Of two ends the earlier counts.
"""

from collections.abc import Iterator

from ehr.access.relationships.ending import over
from ehr.access.relationships.kinds import PEOPLE, Kind, Relationship, Source
from ehr.access.terms import FOREVER, Interval, Terms, joint, parts

_LIVE = frozenset({"arrived", "triaged", "in-progress", "onleave"})
_ORGANISATION = frozenset({"Organization"})


def of_encounter(source: Source, terms: Terms) -> Iterator[Relationship]:
    """Yield one for each participant and for the providing organisation."""
    encounter = source.document
    if encounter.get("status") not in _LIVE | {"finished"}:
        return
    period = terms.period(encounter.get("period"))
    found = [(terms.name(encounter.get("serviceProvider"), _ORGANISATION), period)]
    found += [
        (terms.name(one.get("individual"), PEOPLE), joint(period, terms.period(one.get("period"))))
        for one in parts(encounter, "participant")
    ]
    for name, shared in found:
        made = _of(source, terms, name, shared) if name is not None and shared is not None else None
        if made is not None:
            yield made


def _of(source: Source, terms: Terms, name: str, period: Interval) -> Relationship | None:
    first, end = period
    made = Relationship(Kind.ENCOUNTER, name, first)
    after = terms.after_encounter
    if source.document.get("status") == "finished":
        return over(source, made, None if end == FOREVER else end, after)
    return Relationship(Kind.ENCOUNTER, name, first, min(end + after, FOREVER))
