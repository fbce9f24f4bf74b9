"""POST Patient/[id]/$delegate: let a colleague of one's own organisation act in one's place.

auth/README.md, *From the role to the row*: for 30 days at most, and for no longer than whoever
delegates has a relationship of care themselves. So a delegation is never delegated again.
"""

from auth.principal import Principal
from ehr.errors import Forbidden
from ehr.interactions.access import tasks
from ehr.interactions.read import present
from ehr.messages import Interaction, Result
from ehr.operations.opening import calling, colleagues, values
from ehr.operations.opening.calling import Call
from ehr.operations.opening.values import Values
from ehr.operations.opening.writing import fresh_name, store
from ehr.record import Record


def delegate(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Give a colleague access to the record of the patient in the address; answer with the Task.

    Raises NotFound for a patient whom the caller may not see, Forbidden without a relationship of
    care, Unprocessable for a colleague or an end that can't be.
    """
    call = calling.call(record, principal, interaction)
    row = present(record, principal, interaction)
    asked = values.read(interaction, ("to", "until", "text"))
    until, text = _until(call, asked), asked.text("text", needed=False)
    held = colleagues.held(call, row.patient_key)
    if held is None:
        raise Forbidden(
            "Only who has a relationship of care with the patient gives access to a colleague: by "
            "the practice, the care team, an encounter or a referral."
        )
    task = tasks.delegation(
        f"Patient/{row.id}",
        colleagues.colleague(call, asked),
        call.at,
        until,
        requester={"reference": call.person},
        description=text or None,
        input=[tasks.held_by(held.grantee)],
    )
    written = store(call, [(fresh_name(), task)])
    body = values.answer(
        ("task", "Reference", {"reference": written[0]}), ("until", "Instant", until)
    )
    return Result(status=201, body=body)


def _until(call: Call, asked: Values) -> int:
    until = asked.moment("until", call.terms)[1]
    if not call.at < until <= call.at + call.terms.delegated:
        raise asked.wrong("until", "`until` lies ahead, by 30 days at most.")
    return until
