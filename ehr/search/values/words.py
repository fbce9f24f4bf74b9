"""Words of a text, and the words a full text search asks for (R4 search.html §3.1.1.4.20).

A word is a run of letters and digits, folded as strings are. It is spelt in ASCII letters and
digits, so that every engine keeps it whole: one that starts with a letter other than q stands for
itself, any other becomes q and its bytes in hexadecimal. Languages that write without spaces have
no words here but whole runs.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from ehr.search.values.folding import unmarked
from ehr.store.full_text import All, Either, Phrase, Words
from ehr.store.tables import BOUNDARY

LONGEST_TEXT = 200_000  # characters of words kept: engines bound what one row may have
_LONGEST_READ = 10 * LONGEST_TEXT  # of one text: folding costs, even where nothing is kept
MAXIMUM_WORDS = 50
MAXIMUM_DEPTH = 10  # of parentheses: FTS5 has room for some thirty parts within parts
_LONGEST_WORD = 64
_SHORT = 100
_ASCII_WORD, _WORD = re.compile(r"[a-z0-9]+"), re.compile(r"[^\W_]+")
_PLAIN = re.compile(r"[a-pr-z][a-z0-9]*")
_TOKEN = re.compile(r'"([^"]*)"|([()])|([^\s()"]+)')
# What signs at words ask for elsewhere (the syntax is each server's own), and what to write here.
_SIGNS = {
    "-": "write `not`, as in `fever not cough`",
    "!": "write `not`, as in `fever not cough`",
    "+": "leave it out, for all words must be there",
    "*": "leave it out, for only whole words are found",
}


def words(text: str) -> list[str]:
    """Return the words of a text in their order, as they are kept."""
    if text.isascii():
        return [_spelt(word) for word in _ASCII_WORD.findall(text.lower())]
    return [_spelt(word) for word in _WORD.findall(unmarked(text))]


@lru_cache(maxsize=65_536)
def _spelt(word: str) -> str:
    word = word[:_LONGEST_WORD]
    return word if _PLAIN.fullmatch(word) else "q" + word.encode().hex()


def joined(texts: Iterable[str]) -> str:
    """Return the words of texts as one; no phrase reaches from one text to the next."""
    parts: list[str] = []
    room = LONGEST_TEXT
    for text in texts:
        if room < 0:
            break
        part = _repeated(text) if len(text) <= _SHORT else " ".join(words(text[:_LONGEST_READ]))
        if part:
            parts.append(part)
            room -= len(part)
    whole = BOUNDARY.join(parts)
    if len(whole) <= LONGEST_TEXT:
        return whole
    return whole[: whole.rindex(" ", 0, LONGEST_TEXT)]


# The same names of codes, units and kinds come again and again.
@lru_cache(maxsize=16_384)
def _repeated(text: str) -> str:
    return " ".join(words(text))


def read_words(text: str) -> Words:
    """Return what a text asks for. Raises ValueError, saying what is wrong with it.

    Words beside each other must all be there, in any order; `"…"` is a phrase; `and`, `or`, `not`
    and parentheses as usual, `or` binding least.
    """
    reading = _Reading(text)
    wanted = reading.either()
    if reading.rest:
        raise ValueError("a `)` that nothing opens")
    if reading.asked > MAXIMUM_WORDS:
        raise ValueError(f"more than {MAXIMUM_WORDS} words")
    return wanted


class _Reading:
    """The tokens of a search that are still to be read: (kind, text), kinds as in `_kind`."""

    def __init__(self, text: str) -> None:
        if text.count('"') % 2:
            raise ValueError('a `"` that nothing closes')
        self.rest = [
            ("phrase", quoted) if match.group(1) is not None else _kind(bracket or word)
            for match in _TOKEN.finditer(text)
            for quoted, bracket, word in [match.groups()]
        ]
        self.asked = 0
        self._depth = 0

    def either(self) -> Words:
        parts = [self._all()]
        while self._takes("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _all(self) -> Words:
        parts: list[Words] = []
        without: list[Words] = []
        while self.rest and self.rest[0][0] not in ("or", ")"):
            self._takes("and")
            (without if self._takes("not") else parts).append(self._one())
        if not parts:
            raise ValueError("a part without any word that must be there")
        return parts[0] if len(parts) == 1 and not without else All(tuple(parts), tuple(without))

    def _one(self) -> Words:
        if not self.rest or self.rest[0][0] in ("or", "and", "not", ")"):
            raise ValueError("an `and`, `or` or `not` that joins nothing")
        kind, text = self.rest.pop(0)
        if kind == "(":
            self._depth += 1
            if self._depth > MAXIMUM_DEPTH:
                raise ValueError(f"more than {MAXIMUM_DEPTH} parentheses within one another")
            inner = self.either()
            if not self._takes(")"):
                raise ValueError("a `(` that nothing closes")
            self._depth -= 1
            return inner
        found = words(text)
        if not found:
            raise ValueError("a word without letters and digits")
        if kind == "word":
            _refuse_sign(text)
        self.asked += len(found)
        return Phrase(tuple(found))

    def _takes(self, kind: str) -> bool:
        if self.rest and self.rest[0][0] == kind:
            self.rest.pop(0)
            return True
        return False


def _refuse_sign(text: str) -> None:
    sign = "*" if text.endswith("*") else text[0]
    if sign in _SIGNS:
        raise ValueError(f"`{sign}` at a word, which means nothing here: {_SIGNS[sign]}")


def _kind(text: str) -> tuple[str, str]:
    known = text.lower()
    return (known, text) if known in ("and", "or", "not", "(", ")") else ("word", text)
