"""What is asked of the policy: may this caller do this to this row now?"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tests.policy.naive.caller import Caller
from tests.policy.naive.reading import Resource
from tests.policy.naive.record import Record, Row


@dataclass(frozen=True, slots=True)
class Question:
    """A letter of crudsh on a row. `sees` tells whether the caller reads another row."""

    record: Record
    caller: Caller
    row: Row
    letter: str
    now: datetime
    sees: Callable[[Row], bool]

    @property
    def document(self) -> Resource:
        """The document of the row."""
        return self.row.document
