"""POST Patient/[id]/$claim-relationship: say that one cares for somebody, for a day.

auth/README.md: it opens what has no label. Those who lead the patient's care are told.
"""

from auth.principal import Principal
from ehr.interactions.access import notices, tasks
from ehr.messages import Interaction, Result
from ehr.operations.opening import calling, gate, values
from ehr.operations.opening.writing import fresh_name, store
from ehr.record import Record


def claim_relationship(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Open the record of the patient in the address for a day; answer with the Task.

    Raises Unprocessable, Throttled, NotFound.
    """
    call = calling.call(record, principal, interaction)
    text = values.read(interaction, ("text",)).text("text")
    calling.count(call)
    opened = gate.find(call)
    until, who, name = call.at + call.terms.self_claimed, {"reference": call.person}, fresh_name()
    task = tasks.claim(
        opened.name, who, call.at, until, requester=who, reasonCode={"text": text}, description=text
    )
    said = (
        f"Somebody in the role {calling.in_words(call)} says that they care for this person, and "
        f"may read the record for a day. They wrote: {text}"
    )
    alert = notices.alert(opened.concerned, name, said, call.at, call.terms)
    written = store(call, [(name, task), *([(fresh_name(), alert)] if alert else [])])
    body = values.answer(
        ("task", "Reference", {"reference": written[0]}), ("until", "Instant", until)
    )
    return Result(status=201, body=body)
