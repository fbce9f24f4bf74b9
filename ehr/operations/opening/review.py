"""POST Task/[id]/$review: a privacy officer says whether opening a record was justified.

`justified` and `not-justified` close the review; the latter ends access that is still
open. `needs-discussion` keeps it open, so that it can be reviewed again. Nobody judges themselves.
"""

from auth.principal import Principal
from ehr.errors import Forbidden, Unprocessable
from ehr.interactions.read import present
from ehr.interactions.results import of_written
from ehr.messages import Document, Interaction, Resource, Result
from ehr.operations.opening import calling, values
from ehr.operations.opening.calling import Call
from ehr.operations.opening.documents import verdict
from ehr.operations.opening.writing import edit
from ehr.record import Record
from fhir_profiles import json_format


def review(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Record what a review came to, and answer with its Task.

    Raises NotFound for what the caller may not see, Unprocessable for a Task that is no review,
    Forbidden for the caller's own opening and another organisation's, Conflict once it is closed.
    """
    call = calling.call(record, principal, interaction)
    row = present(record, principal, interaction, letters="u")
    asked = values.read(interaction, ("outcome", "text"))
    outcome, text = asked.coding("outcome", verdict.OUTCOMES), asked.text("text")
    task: Resource = json_format.reparse(row.json())
    _refuse(call, task)

    def reviewed(document: Document) -> Document:
        return verdict.closed(document, call.person, outcome, text, call.at)

    opening = verdict.ends(task, outcome)
    also = [(opening, verdict.ended)] if opening is not None else []
    return of_written(edit(call, "Task", [(row.id, reviewed), *also])[0])


def _refuse(call: Call, task: Resource) -> None:
    if not verdict.is_review(task):
        raise Unprocessable("This Task is no review.", code="business-rule", expression="Task.code")
    if task.get("requester", {}).get("reference") == call.person:
        raise Forbidden("You opened this record yourself. Somebody else reviews that.")
    owner = task.get("owner", {}).get("reference")
    if owner is not None and owner != f"Organization/{call.principal.organisation}":
        raise Forbidden("Privacy officers of the organisation that the review is for close it.")
