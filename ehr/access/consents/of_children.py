"""Whether a Consent stops all sharing of a child's record, which nobody does (J10).

Care would not know of the child. By degrees, a child and who records for it choose as others do:
they keep out a person or a place, and hide a group of data or an item.
"""

from typing import Any

from ehr.access.consents.blocks import stops_sharing
from ehr.access.consents.compiled import rules_of
from ehr.access.consents.proxies import birthday
from ehr.access.scope import keys_of
from ehr.access.terms import FOREVER, Resource, Terms
from ehr.store import read
from ehr.store.engine import Database
from fhir_profiles import json_format


def stops_a_childs(database: Database, consent: Resource, terms: Terms, now: int) -> bool:
    """Tell whether a Consent stops all sharing before its patient is grown (`Terms.end_age`).

    Of whom the record has no birth date, it does not.
    """
    rules = rules_of(consent, terms)
    if not stops_sharing(rules, FOREVER):
        return False
    grown = birthday(terms, _birth(database, consent, terms), terms.end_age)
    return grown is not None and now < grown and stops_sharing(rules, grown)


def _birth(database: Database, consent: Resource, terms: Terms) -> str | None:
    name = terms.name(consent.get("patient"), frozenset({"Patient"})) or ""
    keys = keys_of(database, (name.partition("/")[2],)).values()
    with database.read() as connection:
        found: Any = [
            json_format.reparse(row.json()).get("birthDate")
            for row in read.of_patients(connection, "Patient", keys)
        ]
    return found[0] if found and isinstance(found[0], str) else None
