"""What references point at and whom rows belong to (ehr/README.md, *How rows lie*).

Runs once per write transaction: one look-up for every name the drafts mention, one lock on the
patients they are filed under. `EHR_REFERENCES`: subject (the patient must exist), all (every local
reference must), none (a mention of an unknown patient reserves its key).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from ehr.errors import Unprocessable
from ehr.store.demands import refuse_missing
from ehr.store.drafts import Draft, LostRace, Method, Write
from ehr.store.engine import of
from ehr.store.hashing import Hasher
from ehr.store.locator import Located, Name, locate
from ehr.store.patient_locks import lock_patients
from fhir_profiles.owners import OWNER_PATHS, PROVENANCE_TARGET, SHARED


@dataclass(slots=True)
class Keys:
    """The keys of a transaction: of its resources, of what they refer to, newly reserved ones."""

    hasher: Hasher
    fresh_keys: Iterator[int]
    fresh_rids: Iterator[int]
    own: dict[Name, tuple[int, int]] = field(default_factory=dict)
    known: Mapping[Name, Located] = field(default_factory=dict)
    reserved: dict[Name, tuple[int, int]] = field(default_factory=dict)
    deleted: frozenset[Name] = frozenset()

    def find(self, name: Name) -> tuple[int, int] | None:
        """Return (patient_key, rid) of a target, or None where it dangles."""
        if name in self.own:
            return self.own[name]
        located = self.known.get(name)
        if located is not None:
            return located.patient_key, located.rid
        return self.reserved.get(name)

    def exists(self, name: Name) -> bool:
        """Tell whether a target will be there, not deleted, when this transaction ends."""
        if name in self.deleted:
            return False
        located = self.known.get(name)
        return name in self.own or (
            located is not None and not located.reserved and not located.deleted
        )


def resolve(
    connection: Connection,
    writes: Sequence[Write],
    *,
    mode: str,
    patient_keys: Sequence[int],
    rids: Sequence[int],
) -> Keys:
    """Give every write its (patient_key, rid) and find what the drafts refer to.

    `patient_keys` and `rids` are fresh numbers, enough for all; new rows without a patient go under
    the author's unfiled key. Raises Unprocessable where a reference must resolve and does not.
    """
    keys = Keys(
        of(connection).hasher,
        iter(patient_keys),
        iter(rids),
        known=locate(connection, _mentioned(writes)),
        deleted=frozenset((w.type, w.id) for w in writes if w.method is Method.DELETE),
    )
    for write in writes:
        if write.type == "Patient" and write.draft is not None:
            _key_patient(write, keys)
    for write in sorted(writes, key=_follows):
        if write.draft is None:
            assert write.current is not None
            keys.own[write.type, write.id] = (write.current.patient_key, write.current.rid)
        elif write.type != "Patient":
            _key_row(write, keys, _owner(write, keys, mode))
    lock_patients(connection, writes, keys)
    if mode == "all":
        refuse_missing(connection, writes, keys)
    else:
        _reserve_mentioned(writes, keys)
    return keys


def _mentioned(writes: Sequence[Write]) -> set[Name]:
    """Return the names to look up: targets that are not written here, and ids clients chose."""
    own = {(write.type, write.id) for write in writes}
    names: set[Name] = set()
    for write in writes:
        if write.previous is not None:  # whose memberships fall away
            names.update(
                (r.type, r.id) for r in write.previous.reference if r.type == "Patient" and r.id
            )
        if write.draft is None:
            continue
        if write.current is None and write.client_id:
            names.add((write.type, write.id))
        for row in write.draft.rows.links():
            if row.type is not None and row.id is not None and (row.type, row.id) not in own:
                names.add((row.type, row.id))
        names.update((one.type, one.id) for one in write.draft.demands)
        if write.draft.owner is not None:
            owner = _patient(write.draft.owner)
            if owner is not None and owner not in own:
                names.add(owner)
    return names


def _key_patient(write: Write, keys: Keys) -> None:
    name = (write.type, write.id)
    if write.current is not None:
        keys.own[name] = (write.current.patient_key, write.current.rid)
        return
    located = _adoptable(keys, name)
    keys.own[name] = (
        (located.patient_key, located.rid)
        if located
        else (next(keys.fresh_keys), next(keys.fresh_rids))
    )


def _key_row(write: Write, keys: Keys, patient_key: int) -> None:
    name = (write.type, write.id)
    if write.current is None:
        _adoptable(keys, name)
        keys.own[name] = (patient_key, next(keys.fresh_rids))
        return
    here = write.current.patient_key
    if here != patient_key and not here < 0 < patient_key:
        raise Unprocessable(
            f"{write.type}/{write.id} belongs to another patient and can't be moved. Mark it "
            "entered-in-error and create it again for the right patient.",
            code="business-rule",
            expression=write.place(_owner_path(write.type)),
        )
    keys.own[name] = (patient_key, write.current.rid)


def _adoptable(keys: Keys, name: Name) -> Located | None:
    """Return a reserved place that waits for this resource; a taken one means a race was lost."""
    located = keys.known.get(name)
    if located is not None and not located.reserved:
        raise LostRace
    return located


def _owner(write: Write, keys: Keys, mode: str) -> int:
    """Return the key a resource belongs under, an unfiled one without a patient."""
    assert write.draft is not None
    if write.type in SHARED:
        return 0
    text = write.draft.owner
    name = _patient(text) if text is not None else None
    if name is None:
        if text is not None and text.startswith("urn:") and mode != "none":
            raise _nobody(write, text)
        return _of_targets(write, keys) or _unfiled(write)
    if mode != "none" and not keys.exists(name):
        raise _nobody(write, f"{name[0]}/{name[1]}")
    found = keys.find(name)
    if found is None:
        found = keys.reserved[name] = (next(keys.fresh_keys), next(keys.fresh_rids))
    return _of_targets(write, keys, found[0]) or _unfiled(write)


def _follows(write: Write) -> bool:
    """Tell whether a row lies where other rows do, which may be written beside it."""
    return write.type == "Provenance"


def _of_targets(write: Write, keys: Keys, named: int = 0) -> int:
    """Return the key of the one patient whose resources a Provenance is about, 0 where there is
    none or are several; of other types the one that is named."""
    if not _follows(write) or write.draft is None:
        return named
    targets = [
        keys.find((row.type, row.id))
        for row in write.draft.rows.reference
        if row.path == PROVENANCE_TARGET and row.type is not None and row.id is not None
    ]
    found = {named, *(place[0] for place in targets if place is not None)}
    patients = [key for key in found if key > 0]
    return patients[0] if len(patients) == 1 else 0


def _unfiled(write: Write) -> int:
    """An update is no move: what is unfiled stays with its organisation, whoever writes it."""
    assert write.author is not None
    here = write.current.patient_key if write.current else 0
    return here if here < 0 else write.author.unfiled


def _nobody(write: Write, text: str) -> Unprocessable:
    path = _owner_path(write.type)
    return Unprocessable(
        f"{write.type}.{path} refers to {text}, which is not a patient of this record. "
        "Create the patient first, or send both in one transaction.",
        code="not-found",
        expression=write.place(path),
    )


def _patient(text: str) -> Name | None:
    kind, _, id = text.partition("/")
    return (kind, id.partition("/")[0]) if kind == "Patient" and id else None


def _owner_path(type: str) -> str:
    paths = OWNER_PATHS.get(type, ())
    return paths[0] if paths else ""


def _reserve_mentioned(writes: Sequence[Write], keys: Keys) -> None:
    """Give a key to every patient who is only mentioned so far, for the PUT that adopts it."""
    for write in writes:
        for name in _targets(write.draft) if write.draft else ():
            if name[0] == "Patient" and keys.find(name) is None:
                number = next(keys.fresh_keys, None)
                rid = next(keys.fresh_rids, None)
                if number is not None and rid is not None:
                    keys.reserved[name] = (number, rid)


def _targets(draft: Draft) -> list[Name]:
    return [(row.type, row.id) for row in draft.rows.links() if row.type and row.id]
