"""Whether role, relationship, labels and consent permit a write: asked before it, and after it.

For callers of whom the role table is asked (auth/README.md, *From the role to the row*). A rule
that permits the row as it was must permit it as it becomes; what only a change can tell is judged
on both texts, by words of the table (`CHANGE`) and by the rules of elements. What somebody may see
of a new row is asked before the row itself opens a record to anybody, but where its patient is new.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from auth.elements import Fault, Writer, change_meets, claims, filled, judge
from auth.rights import rules
from auth.roles.known import role_of
from auth.roles.narrowings import BY_WORD, CHANGE, meant
from ehr.access.judging import Place, permitting, seen, standings
from ehr.errors import Conflict, FhirError, Forbidden, Unprocessable
from ehr.interactions.access.letting_in import Claimed, let_in
from ehr.interactions.access.practices import refuse_strange_practices
from ehr.interactions.access.registering import claims_of_registered
from ehr.interactions.access.unfit import refuse_stop
from ehr.interactions.changes import Change
from ehr.interactions.consenting import refuse_named_in_vain
from ehr.interactions.drafting import bases, make, resource_of
from ehr.interactions.targets import Plan
from ehr.messages import Resource
from ehr.record import Record
from ehr.store.drafts import Current, Draft, Method, Write, Written
from ehr.store.locator import Name, locate
from fhir_profiles import json_format
from fhir_profiles.issues import Issue

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from auth.principal import Principal

# Told by where a Provenance comes, not by what it says.
_AUTO = "auto"
LETTERS = {Method.POST: "c", Method.PUT: "u", Method.PATCH: "u", Method.DELETE: "d"}


class Judgement:
    """What one caller may do in one transaction; made anew for each attempt."""

    def __init__(self, record: Record, principal: "Principal") -> None:
        self._record, self._database, self._principal = record, record.database, principal
        self.seen: frozenset[Name] = frozenset()
        self.read: frozenset[Name] = frozenset()
        self.claimed: list[Claimed] = []
        self._before: dict[Name, frozenset[int]] = {}

    def before(
        self,
        connection: "Connection",
        changes: Sequence[Change],
        plan: Plan,
        rows: Mapping[Name, Current],
    ) -> None:
        """Ask which of the rows that are to be changed the caller sees, and by which rules."""
        names: dict[Place, Name] = {(row.patient_key, row.rid): name for name, row in rows.items()}
        places = {place: name[0] for place, name in names.items()}
        for letter in "rs":
            shown = seen(connection, self._database, self._principal, places, letter)
            some_names = frozenset(names[place] for place in shown)
            self.seen |= some_names
            if letter == "r":
                self.read = some_names
        for letter, some in _by_letter(changes, plan, rows).items():
            found = permitting(connection, self._database, self._principal, letter, some)
            for place, by in found.items():
                self._before[names[place]] = by
        self.seen |= self._before.keys()

    def refuse_strangers(self, connection: "Connection", writes: Sequence[Write]) -> None:
        """Raise Forbidden for rows of patients who are not there, and for rows that are moved to
        another: as for those of others, so that ids can't be tried out."""
        made = {write.id for write in writes if write.type == "Patient"}
        owners = [(write, id) for write in writes if (id := _owner(write)) and id not in made]
        known = locate(connection, {("Patient", id) for _, id in owners})
        for write, id in owners:
            place = known.get(("Patient", id))
            here = write.current.patient_key if write.current is not None else 0
            if place is None or place.reserved or (here > 0 and place.patient_key != here):
                raise _refused(self._principal, write, _letter(write))
        refuse_strange_practices(self._record, self._principal, connection, writes)

    def claim_registered(
        self, connection: "Connection", writes: Sequence[Write], done: Sequence[Written]
    ) -> None:
        """Note what goes with patients who were registered, once it is known who sees them."""
        self.claimed += claims_of_registered(
            self._record, self._principal, connection, writes, done
        )

    def may_change(self, name: Name) -> bool:
        """Tell whether a rule permits to change a row as it stands."""
        return bool(self._before.get(name))

    def after(
        self,
        connection: "Connection",
        writes: Sequence[Write],
        done: Sequence[Written],
        *,
        is_of_new_patient: bool,
    ) -> None:
        """Raise Forbidden for a row that no rule permits as it becomes.

        Asked twice: first of the rows of patients who were there before, then of the others.
        """
        new = {one.patient_key for write, one in zip(writes, done, strict=True)
               if write.type == "Patient" and write.current is None}  # fmt: skip
        some = [
            (write, one)
            for write, one in zip(writes, done, strict=True)
            if write.draft is not None and _is_changed(write, one)
            if (one.patient_key in new) == is_of_new_patient
        ]
        for letter in ("c", "u"):
            here = [(w, one) for w, one in some if _letter(w) == letter]
            places = {(one.patient_key, one.rid): w.type for w, one in here
                      if w.type != "Patient" or w.current is not None}  # fmt: skip
            found = permitting(
                connection, self._database, self._principal, letter, places, after=True
            )
            for write, one in here:
                self._judge(write, letter, found.get((one.patient_key, one.rid), frozenset()))
        keys = {one.patient_key for _, one in some if one.patient_key > 0}
        held = standings(connection, self._database, self._principal, keys)
        for write, one in some:
            self._judge_parts(write, one, held.get(one.patient_key, frozenset()) - {"cares"})
        if self._principal.kind == "professional" and not is_of_new_patient:
            others = [(w, one) for w, one in some if "cares" not in held.get(one.patient_key, ())]
            told = {one.name for one in self.claimed}
            own = let_in(self._record, self._principal, others)
            self.claimed += [one for one in own if one.name not in told]
        refuse_named_in_vain(self._record, self._principal, connection, [w for w, _ in some])

    def filled(self, change: Change, draft: Draft | None, row: Current | None) -> Draft | None:
        """Return a draft with the authors that the server sets."""
        if draft is None:
            return None
        found = filled(
            self._writer(), _before(row), draft.resource, bases=bases(self._record),
            is_patch=change.method is Method.PATCH,
        )  # fmt: skip
        if found is draft.resource:
            return draft
        raw = json_format.serialise(found)
        return make(self._record, found, raw, blob_id=draft.blob_id)

    def _judge(self, write: Write, letter: str, after: frozenset[int]) -> None:
        """Raise Forbidden where no rule permits a write as a whole."""
        some = rules(self._principal, letter)
        if write.type == "Patient" and write.current is None:
            # A patient is made by right of role: nobody has to do with somebody who is not there.
            after = frozenset(n for n, rule in enumerate(some) if rule.concerns("Patient"))
        elif write.current is not None and not write.current.deleted:
            after &= self._before.get((write.type, write.id), frozenset())
        if not any(self._meets(write, some[n].words) for n in after):
            raise _refused(self._principal, write, letter)

    def _judge_parts(self, write: Write, done: Written, held: frozenset[str]) -> None:
        """Raise where what a write alters is another's, or no legal move; note claims."""
        assert write.draft is not None
        writer = replace(self._writer(), is_lead="lead" in held)
        before, words = write.current, set(held)
        if before is not None and before.author == self._principal.id:
            words.add("own")
        here = self._principal.organisation
        if before is not None and here is not None and before.author_organisation == here:
            words.add("mine")
        faults = judge(
            writer, _before(before), write.draft.resource, words=frozenset(words),
            bases=bases(self._record),
        )  # fmt: skip
        if faults:
            raise _faulty(write, faults)
        if write.type == "Consent" and writer.kind != "system":
            refuse_stop(self._record, write.draft.resource, write.at)
        if held:
            return  # those who would be told
        for one in claims(
            writer, _before(before), write.draft.resource, words=frozenset(words),
            bases=bases(self._record),
        ):  # fmt: skip
            name = f"{write.type}/{write.id}"
            self.claimed.append(Claimed(done.patient_key, name, one.expression))

    def _writer(self) -> Writer:
        who = self._principal
        called = who.called.names if who.called is not None else ()
        here = f"Organization/{who.organisation}" if who.organisation else None
        return Writer(who.kind, role_of(who), frozenset(called), who.person, here)

    def _meets(self, write: Write, words: frozenset[str]) -> bool:
        assert write.draft is not None
        if _AUTO in words and not write.is_beside:
            return False
        return all(
            change_meets(
                word, self._writer(), _before(write.current), write.draft.resource,
                bases=bases(self._record),
            )
            for word in words
            if word in BY_WORD and BY_WORD[word].kind == CHANGE and word != _AUTO
        )  # fmt: skip


def _before(row: Current | None) -> Resource | None:
    return resource_of(row) if row is not None and not row.deleted else None


_KINDS = {403: Forbidden, 409: Conflict, 422: Unprocessable}


def _faulty(write: Write, faults: Sequence[Fault]) -> FhirError:
    """Return the refusal that tells all faults, of the gravest kind among them."""
    kind = _KINDS[min(fault.status for fault in faults)]
    issues = [
        Issue(one.code, one.text, write.place(one.expression.partition(".")[2])) for one in faults
    ]
    return kind(faults[0].text, issues=issues)


def _by_letter(
    changes: Sequence[Change], plan: Plan, rows: Mapping[Name, Current]
) -> dict[str, dict[Place, str]]:
    found: dict[str, dict[Place, str]] = {}
    for change, target in zip(changes, plan.targets, strict=True):
        for name in target.names if target.writes else ():
            row = rows.get(name)
            if row is not None:
                places = found.setdefault(LETTERS[change.method], {})
                places[row.patient_key, row.rid] = row.type
    return found


def _owner(write: Write) -> str:
    """Return the id of the patient whose row is written; empty for none."""
    owner = write.draft.owner if write.draft is not None else None
    return (owner or "").removeprefix("Patient/") if write.type != "Patient" else ""


def _letter(write: Write) -> str:
    """Return the letter that a write needs of the row it makes."""
    return "c" if write.current is None else LETTERS[write.method].replace("c", "u")


def _is_changed(write: Write, done: Written) -> bool:
    return write.current is None or done.version != write.current.version


def _refused(principal: "Principal", write: Write, letter: str) -> Forbidden:
    """Return one refusal for all reasons, so that it tells nothing of whom the row is about; and by
    the role table what may be written."""
    doing = "create" if letter == "c" else "change"
    ways = {meant(one.words) for one in rules(principal, letter) if one.concerns(write.type)}
    told = [f"Yours to {doing} is: {way}" for way in sorted(ways) if way and "" not in ways]
    text = (
        f"Your role may {doing} some {write.type}, but not this one: for this patient, or with "
        "this content or these labels, it is not yours to write."
    )
    return Forbidden(" ".join((text, *told)), expression=write.at or write.type)
