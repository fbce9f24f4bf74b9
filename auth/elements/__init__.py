"""Who may change which part of a resource, and which moves of a status are legal. Pure.

The last of the five things that a request may do with: scope, role, relationship, labels and
consent decide which rows are open; here what was and what is sent are compared. Nothing looks
anything up: what has to be known of the writer and the row is an argument. The tables come first:
`who.py`, `moves.py`, `authors.py`, `labelling.py`, `openings.py`; `auth/README.md` shows them.

Not asked here: whether the row is open to the writer, deletion, `auto`, and the care rules.
"""

from auth.elements.authors import filled
from auth.elements.changes import change_meets
from auth.elements.facts import Claim, Fault, Writer
from auth.elements.judging import judge, needs_if_match
from auth.elements.labelling import may_label
from auth.elements.openings import claims

__all__ = [
    "Claim",
    "Fault",
    "Writer",
    "change_meets",
    "claims",
    "filled",
    "judge",
    "may_label",
    "needs_if_match",
]
