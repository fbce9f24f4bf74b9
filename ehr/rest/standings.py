"""Whether whoever a token stands for may still have it: asked at every request of people (T40).

What the record says of a person is read once for each version of it.
"""

from typing import TYPE_CHECKING

from auth.sign_in import standing

if TYPE_CHECKING:
    from auth.surroundings import Surroundings

_MOST = 50_000


class Standings:
    """When the people of one record end to be who may have an account."""

    def __init__(self, surroundings: "Surroundings") -> None:
        self._surroundings = surroundings
        self._known: dict[str, tuple[int, int]] = {}

    def is_over(self, person: str, version: int, now: int) -> bool:
        """Tell whether a person has died, left, or was merged or deleted, as this version says."""
        if version == 0:  # the record never said anything of them
            return False
        known = self._known.get(person)
        if known is None or known[0] != version:
            # May say more than that version; it is asked again then.
            known = version, standing.end(self._surroundings, person)
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[person] = known
        return known[1] <= now
