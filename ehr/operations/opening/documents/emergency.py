"""What is written when a record is opened in an emergency: two Tasks and who is told. Pure.

A Task that opens the record, one for the privacy officers of the caller's organisation to review
it, word to the patient, and an alert to who leads the patient's care. The patient sees none of the
four before the release time that they share.
"""

from dataclasses import dataclass

from ehr.access.terms import HOUR
from ehr.interactions.access import notices, tasks
from ehr.messages import Resource
from ehr.operations.opening.calling import Call
from ehr.operations.opening.gate import Opened
from ehr.operations.opening.writing import fresh_name
from ehr.store.bodies import instant


@dataclass(frozen=True, slots=True)
class Stated:
    """Why a record is opened (a Coding and words), and after how many hours the patient is told."""

    reason: Resource
    text: str
    hours: int
    delay_reason: str


def documents(
    call: Call, opened: Opened, stated: Stated, caller: str, until: int
) -> list[tuple[str, Resource]]:
    """Return the documents by the names that they refer to each other by, the two Tasks first.

    `caller` are the words for who opens the record, `until` is when it is shut again.
    """
    task = fresh_name()
    told = (
        f"This record was opened in an emergency on {instant(call.at)[:16].replace('T', ' at ')} "
        f"UTC by somebody in the role {caller}, for four hours. "
        f"Reason: {stated.reason['display']}."
    )
    alerted = f"{told} They wrote: {stated.text}"
    some = [
        (task, _opening(call, opened, stated, until)),
        (fresh_name(), _review(call, opened, stated, task)),
        (fresh_name(), notices.notice(opened.concerned, task, told, call.at)),
        (fresh_name(), notices.alert(opened.concerned, task, alerted, call.at, call.terms)),
    ]
    release = call.at + stated.hours * HOUR if stated.hours else None
    return [(name, tasks.released(one, release)) for name, one in some if one is not None]


def _opening(call: Call, opened: Opened, stated: Stated, until: int) -> Resource:
    who = {"reference": call.person}
    return tasks.emergency(
        opened.name,
        who,
        call.at,
        until,
        requester=who,
        priority="stat",
        reasonCode={"coding": [stated.reason]},
        description=stated.text,
    )


def _review(call: Call, opened: Opened, stated: Stated, task: str) -> Resource:
    here = call.principal.organisation
    return tasks.review(
        opened.name,
        call.at,
        delay_reason=stated.delay_reason,
        focus={"reference": task},
        owner={"reference": f"Organization/{here}"} if here else None,
        requester={"reference": call.person},
        reasonCode={"coding": [stated.reason]},
        description=stated.text,
    )
