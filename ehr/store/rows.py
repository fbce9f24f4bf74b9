"""Index rows of one resource before its keys are known, as the extractors emit them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256

from fhir_profiles.identity import stable_id

QuantityRow = tuple[int, float, float, int, int, int, int, float, float]


@dataclass(slots=True)
class IndexRows:
    """One list per index table; a row leaves out patient_key and rid. Duplicates are allowed here.

    token (param, code, system, text to sort by) · date (param, low, high) in µs, high exclusive ·
    string (param, value, folded, original) ·
    quantity (param, low, high, system, code, unit, base, base_low, base_high) ·
    uri (param, hash, value) · identifier (hash of the value, "system|value") for the locator ·
    reference: see `ReferenceRow` · text (words of the narrative, words of the rest), one at most ·
    position (latitude, longitude, x, y, z).

    `parts` are the rows of single elements, for composite parameters; their `element` tells them
    apart. References of parts are among those of the whole, once settled. `inside` are the rows of
    contained resources, in their order. `stamp` says by which definitions they were made
    (`index_stamps.py`); `failed` are expressions that did not fit.
    """

    token: list[tuple[int, int, int, str | None]] = field(default_factory=list)
    date: list[tuple[int, int, int]] = field(default_factory=list)
    string: list[tuple[int, str, str | None, str | None]] = field(default_factory=list)
    quantity: list[QuantityRow] = field(default_factory=list)
    uri: list[tuple[int, int, str]] = field(default_factory=list)
    identifier: list[tuple[int, str]] = field(default_factory=list)
    reference: list["ReferenceRow"] = field(default_factory=list)
    position: list[tuple[float, float, float, float, float]] = field(default_factory=list)
    parts: list["IndexRows"] = field(default_factory=list)
    element: int = 0
    inside: list["IndexRows"] = field(default_factory=list)
    stamp: int = 0
    failed: list[str] = field(default_factory=list)

    def part(self) -> "IndexRows":
        """Return the rows of one more element, numbered from 1 as they stand in the resource."""
        made = IndexRows(element=len(self.parts) + 1)
        self.parts.append(made)
        return made

    def apart(self) -> "IndexRows":
        """Return rows that no composite parameter means, under the element -1."""
        made = IndexRows(element=-1)
        self.parts.append(made)
        return made

    def settle(self) -> None:
        """Take over the references of parts: they are looked up and numbered as one list."""
        for part in self.parts:
            if part.reference:
                self.reference += [replace(row, element=part.element) for row in part.reference]
                part.reference = []

    text: list[tuple[str | None, str]] = field(default_factory=list)

    def links(self) -> Iterator["ReferenceRow"]:
        """Yield the references of the resource and of those it contains."""
        yield from self.reference
        for one in self.inside:
            yield from one.reference


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """A reference as found: `target` is `(type, id)` when local, else an absolute or canonical url.

    `path` is the stable id of the element path, or of the parameter where a parameter selects
    by more than a path. `type` is the target type where the text or Reference.type tells it. The
    identifier is two hashes, of its value and its system, 0 for none. `fragment` is the id of a
    contained resource; `contained` says which one of its container that is, 0 for that itself.
    """

    path: int
    type: str | None
    id: str | None
    url: str | None
    version: str | None
    identifier_hash: int | None
    identifier_system: int | None = None
    element: int = 0
    fragment: str | None = None
    contained: int | None = None


# The path of rows that are no Reference: the url of an Attachment, where it names a Binary.
ATTACHED = stable_id("Attachment.url")
SECURITY_CONTEXT = stable_id("Binary.securityContext")
# Token rows that access goes by, and no search: what a resource is to the role table, and codes of
# these elements where R4 has no parameter for them.
MARKED, CODED = stable_id("access.mark"), stable_id("access.coded")
CODING_ELEMENTS = ("category", "code", "type", "class")
# Indexes of PostgreSQL take 2,700 bytes; a text that stands here for a longer one can't be sent.
_LONGEST_PART = 1_000
_DIGEST = "\x1f"


def identifier_text(system: str | None, value: str) -> str:
    """Return how the locator keeps an identifier: `system|value`, long parts as digests."""
    return f"{identifier_part(system or '')}|{identifier_part(value)}"


def identifier_part(text: str) -> str:
    """Return a system or value as the locator keeps it: itself, or a digest where it is long."""
    octets = text.encode("utf-8", "surrogatepass")
    return text if len(octets) <= _LONGEST_PART else _DIGEST + sha256(octets).hexdigest()
