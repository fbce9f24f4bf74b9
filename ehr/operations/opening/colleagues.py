"""By which relationship somebody may let a colleague act in their place, and who is a colleague."""

from ehr.access import directory
from ehr.access.relationships import Ceiling, Relationship
from ehr.access.relationships.kinds import OF_CARE, PEOPLE
from ehr.access.relationships.known import relationships_to
from ehr.access.relationships.moments import held_at
from ehr.messages import Resource
from ehr.operations.opening.calling import Call
from ehr.operations.opening.values import Values


def held(call: Call, patient_key: int) -> Relationship | None:
    """Return the relationship of care that the caller has longest, by a plain name if there is."""
    called = call.principal.called
    names = called.names if called is not None else ()
    with call.record.database.read() as connection:
        known = relationships_to(connection, patient_key)
    some = [one for one in held_at(known, names, call.at, Ceiling.ROLE) if one.kind in OF_CARE]
    return max(some, key=lambda one: ("?" not in one.grantee, one.to), default=None)


def colleague(call: Call, asked: Values) -> Resource:
    """Return the Reference of the parameter `to`. Raises Unprocessable for who works elsewhere."""
    name = call.terms.name(asked.needed("to", "Reference"), PEOPLE)
    if name is None or "?" in name or "://" in name:
        raise asked.wrong("to", "`to` refers to a Practitioner or PractitionerRole in the record.")
    here = call.principal.organisation
    with call.record.database.read() as connection:
        if name in directory.person_names(connection, call.person, call.terms, call.at):
            raise asked.wrong("to", "Name a colleague: you have access yourself.", "business-rule")
        if here is None or not directory.works_at(connection, name, here, call.terms, call.at):
            text = "Name somebody with a role at the organisation that you work for."
            raise asked.wrong("to", text, "business-rule")
    return {"reference": name}
