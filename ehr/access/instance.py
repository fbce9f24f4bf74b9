"""Whether a caller may see one row found by its id: the rule of `visible.py`, in Python."""

from sqlalchemy import BigInteger, Connection, bindparam, select

from auth.principal import Principal
from auth.rights import CONTEXT, EVERYBODY, NOBODY, OWN, SELF, Rule, rules
from ehr.access.scope import Scope, scope_of
from ehr.access.visible import visible_within
from ehr.store.engine import Database
from ehr.store.tables import resource
from ehr.store.templates import Template, keeping, run, template_of

_ROW = resource.alias("one")
_COLUMNS = {"at_key": _ROW.c.patient_key, "at_rid": _ROW.c.rid}


def owns(database: Database, principal: Principal, patient_key: int) -> bool:
    """Tell whether rows under this key may be seen for whose they are, whatever their types."""
    if principal.scopes is None:
        return _of_kind(database, principal, patient_key)
    some = {rule for letter in "cruds" for rule in rules(principal, letter)}
    return any(reaches(database, principal, rule, patient_key) for rule in some)


def is_permitted(
    database: Database,
    principal: Principal,
    type: str,
    patient_key: int,
    id: str,
    *,
    letters: str = "r",
) -> bool | None:
    """Tell whether a row may be seen for its type and owner; None where that takes a look at it."""
    scope = scope_of(database, principal, letters)
    if scope.rules is None:
        seen: bool | None = _of_kind(database, principal, patient_key)
    else:
        seen = True
        for some in scope.rules:
            matching = [
                rule
                for rule in some
                if rule.concerns(type)
                and _reaches(database, principal, scope, rule, patient_key, f"{type}/{id}")
            ]
            if not matching:
                seen = False
            elif seen and all(rule.filter for rule in matching):
                seen = None
    if seen is False and type == "Binary" and scope.concerns(type) and patient_key < 0:
        return None
    return seen


def is_open(
    connection: Connection, database: Database, principal: Principal, patient_key: int, rid: int
) -> bool:
    """Tell whether the Binary at this place may be seen, through what refers to it maybe."""
    scope = scope_of(database, principal, "r")
    at = {"at_key": patient_key, "at_rid": rid}

    def make() -> Template:
        seen = visible_within(_ROW, scope, database.hasher, binaries=True, types=("Binary",))
        here = [_COLUMNS[name] == bindparam(name, 0, BigInteger) for name in at]
        return template_of(connection, select(_ROW.c.rid).where(*here, seen))

    template = keeping(connection, ("open", scope), make)
    return bool(run(connection, template, {**scope.values, **at}))


def reaches(database: Database, principal: Principal, rule: Rule, patient_key: int) -> bool:
    """Tell whether what lies under a key is of those whom a rule means."""
    scope = scope_of(database, principal, "cruds")
    return _reaches(database, principal, scope, rule, patient_key)


def _reaches(
    database: Database,
    principal: Principal,
    scope: Scope,
    rule: Rule,
    patient_key: int,
    name: str = "",
) -> bool:
    """Tell whether what lies under a key is of those whom a rule means."""
    if rule.whose == EVERYBODY:
        return _of_kind(database, principal, patient_key)
    if rule.whose == NOBODY:
        return patient_key == 0
    if rule.whose == SELF:
        return bool(name) and principal.person == name
    keys = {CONTEXT: {scope.context}, OWN: scope.own}[rule.whose]
    return patient_key > 0 and patient_key in keys


def _of_kind(database: Database, principal: Principal, patient_key: int) -> bool:
    if patient_key >= 0:
        return True
    if principal.organisation is None:
        return principal.kind == "system"
    return patient_key == database.unfiled_key(principal.organisation)
