"""A row that a condition is about, and what the conditions of all callers have in common.

R4 security-labels. Where a version is asked for, the row is judged by the labels of the current one
and by those of the version: both must open it (auth/README.md, *From the role to the row*).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    Text,
    and_,
    bindparam,
    func,
    or_,
)

from ehr.access.names import (
    AUTHOR,
    CONTEXT_KEY,
    GRANTEES,
    NOW,
    ORGANISATION,
    OWN_KEYS,
    PLACE,
    PLACE_NAME,
    PURPOSE,
    RIDS,
    SELF_ID,
)
from ehr.access.relationships.held import Grantees
from ehr.access.there import there_is
from ehr.store.hashing import Hasher
from ehr.store.rows import MARKED
from ehr.store.tables import reference, token
from fhir_profiles.definitions import type_number
from fhir_profiles.facets import LOCKED, NORMAL, mask
from fhir_profiles.identity import stable_id
from fhir_profiles.search_parameters import for_type

_TYPES: Mapping[str, Any] = dict.fromkeys(
    (CONTEXT_KEY, NOW, PLACE, PLACE_NAME), BigInteger
) | dict.fromkeys((AUTHOR, GRANTEES, ORGANISATION, OWN_KEYS, PURPOSE, RIDS, SELF_ID), Text)
# What was said of a person in confidence: sealed, whatever the confidentiality.
PERSONAL = mask("PRS", "PHY")


@dataclass(frozen=True, slots=True)
class Row:
    """An alias of `resource`, what the caller's `values` are, the versions that are asked for, the
    types that it may have (none: any), and the key of the patient whose it is taken for.

    `known` is the key that all rows have, where they have one. `labels` are versions by whose
    labels a row is judged, in place of its own.
    """

    row: FromClause
    hasher: Hasher
    values: Mapping[str, Any] = field(default_factory=dict)
    version: FromClause | None = None
    types: frozenset[str] = frozenset()
    patient: ColumnElement[int] | None = None
    known: ColumnElement[int] | None = None
    labels: FromClause | None = None

    @property
    def key(self) -> ColumnElement[int]:
        """The key of the patient whose row it is, or is judged as."""
        return self.row.c.patient_key if self.patient is None else self.patient

    @property
    def key_once(self) -> ColumnElement[int]:
        """The same for what is asked of the patient alone: it is asked once for all rows."""
        return self.key if self.known is None else self.known

    def of(self, types: Iterable[str]) -> "Row":
        """Return the same row where it can only be of these types."""
        return replace(self, types=frozenset(types))

    def value(self, name: str) -> BindParameter[Any]:
        """Return a value of the caller's, one of `names.py`."""
        type = _TYPES[name]
        return bindparam(name, self.values.get(name, "" if type is Text else 0), type)

    @property
    def caller(self) -> Grantees:
        """Who the caller is to relationships."""
        return Grantees(self.values.get(GRANTEES, ""), self.values.get(NOW, 0))

    @property
    def conf(self) -> ColumnElement[int]:
        """The confidentiality, 0…5."""
        return self._labelled.c.conf

    @property
    def sens(self) -> ColumnElement[int]:
        """The bits of the sensitivities."""
        return self._labelled.c.sens

    @property
    def _labelled(self) -> FromClause:
        return self.row if self.labels is None else self.labels

    def may_be(self, *types: str) -> bool:
        """Tell whether it may be of one of these types."""
        return not self.types or not self.types.isdisjoint(types)

    def is_of(self, *types: str) -> ColumnElement[bool]:
        """Return the condition that it is of one of these types."""
        numbers = sorted(map(type_number, types))
        return self.row.c.type == numbers[0] if len(numbers) == 1 else self.row.c.type.in_(numbers)

    def has_any(self, bits: int) -> ColumnElement[bool]:
        """Return the condition that it has one of these sensitivities."""
        return self.sens.op("&")(bits) != 0

    def is_plain(self) -> ColumnElement[bool]:
        """Return the condition that it has no confidentiality above N."""
        return self.conf <= NORMAL

    def is_sealed(self) -> ColumnElement[bool]:
        """Return the condition that it is sealed or locked."""
        return or_(self.conf > NORMAL, self.has_any(PERSONAL))

    def is_locked(self) -> ColumnElement[bool]:
        """Return the condition that it is locked."""
        return self.conf >= LOCKED

    def is_out(self) -> ColumnElement[bool]:
        """Return the condition that no release time is to come."""
        at = self._labelled.c.release_at
        return or_(at.is_(None), at <= self.value(NOW))

    def is_entered_here(self) -> ColumnElement[bool]:
        """Return the condition that the caller's organisation entered it."""
        here = self.value(ORGANISATION)
        # Never NULL: what is not known to be the caller's is not, also behind NOT.
        return and_(here != "", func.coalesce(self.row.c.author_organisation, "") == here)

    def is_own(self) -> ColumnElement[bool]:
        """Return the condition that the caller entered it."""
        return func.coalesce(self.row.c.author, "") == self.value(AUTHOR)

    def has_mark(self, word: str) -> ColumnElement[bool]:
        """Return the condition that what it says makes it what a word means."""
        return there_is(
            _MARK,
            _MARK.c.patient_key == self.key,
            _MARK.c.param == MARKED,
            _MARK.c.code == self.hasher.once(word),
            _MARK.c.rid == self.row.c.rid,
        )

    def has_token(self, type: str, name: str, *codes: str) -> ColumnElement[bool]:
        """Return the condition that a token parameter of its type has one of these codes."""
        return has_token(self.hasher, self.key, self.row.c.rid, type, name, *codes)

    def names(self, paths: tuple[str, ...], rid: ColumnElement[bool]) -> ColumnElement[bool]:
        """Return the condition that it has a reference at one of these paths that meets `rid`,
        a condition on `links`."""
        return there_is(
            LINKS,
            LINKS.c.patient_key == self.key,
            LINKS.c.rid == self.row.c.rid,
            at_paths(LINKS, paths),
            rid,
        )


LINKS, _TOKEN = reference.alias("named"), token.alias("told")
_MARK = token.alias("mark")


def has_token(
    hasher: Hasher,
    key: ColumnElement[int],
    rid: ColumnElement[int],
    type: str,
    name: str,
    *codes: str,
) -> ColumnElement[bool]:
    """Return the condition that the resource at a place has one of these codes, of any system."""
    hashes = sorted(map(hasher.once, codes))
    return there_is(
        _TOKEN,
        _TOKEN.c.patient_key == key,
        _TOKEN.c.rid == rid,
        _TOKEN.c.param == for_type(type)[name].param_id,
        _TOKEN.c.code == hashes[0] if len(hashes) == 1 else _TOKEN.c.code.in_(hashes),
    )


def at_paths(link: FromClause, paths: tuple[str, ...]) -> ColumnElement[bool]:
    """Return the condition that a reference stands at one of these paths."""
    ids = sorted(map(stable_id, paths))
    return link.c.path == ids[0] if len(ids) == 1 else link.c.path.in_(ids)
