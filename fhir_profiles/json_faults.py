"""Say what is wrong with a JSON text and where: line, column and one helpful sentence.

Runs only after a document was refused, so it may be slow; it reads tokens with one loop and never
recurses. Sentences name members of objects and single characters, never values.
"""

import re
from dataclasses import dataclass, field

MAX_NUMBER_TEXT = 1000
MAX_EXPONENT = 9999

_SPACE = re.compile(r"[ \t\r\n]*+")
_STRING = re.compile(r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?(?![0-9.eE+-])")
_WORD = re.compile(r"(?:true|false|null)(?![A-Za-z0-9_])")
_STRING_BODY = re.compile(
    r'[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})'
    r'[^"\\\x00-\x1f]*+)*+'
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_EXPECTED = {
    "value": "a value",
    "value or ]": "a value or ']'",
    "name or }": "a member name in double quotes or '}'",
    "name": "a member name in double quotes",
    ":": "':'",
    ", or end": "',' or the closing bracket",
    "nothing": "the end of the document",
}
_AMISS = {
    "'": " Strings stand in double quotes.",
    "/": " JSON has no comments.",
    "#": " JSON has no comments.",
    "N": " NaN is not JSON: leave the element out and give a dataAbsentReason.",
    "I": " Infinity is not JSON: leave the element out and give a dataAbsentReason.",
    "T": " Write true in small letters.",
    "F": " Write false in small letters.",
    "<": " This looks like XML: send it as application/fhir+xml.",
}


def locate(data: bytes, max_depth: int) -> str:
    """Return a sentence on the first fault of `data`, with its line and column."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(errors="replace")
        return _at(before, len(before), "This is not UTF-8. Send JSON encoded as UTF-8.")
    position, sentence = _Scan(text, max_depth).first_fault()
    return _at(text, position, sentence)


def is_number_too_large(text: str) -> bool:
    """Say whether a number's text is longer, or its exponent higher, than any record needs."""
    if len(text) > MAX_NUMBER_TEXT:
        return True
    _, mark, exponent = text.lower().partition("e")
    return bool(mark) and abs(int(exponent)) > MAX_EXPONENT


def _at(text: str, position: int, sentence: str) -> str:
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    return f"The JSON can't be read at line {line}, column {column}: {sentence}"


@dataclass(slots=True)
class _Scan:
    text: str
    max_depth: int
    state: str = "value"
    # One entry an open bracket: the names seen in an object, None for an array.
    open: list[set[str] | None] = field(default_factory=list)

    def first_fault(self) -> tuple[int, str]:
        if not self.text.strip(" \t\r\n"):
            return 0, "The document is empty. Send a JSON object."
        position = 0
        while True:
            position = _end(_SPACE, self.text, position)
            if position >= len(self.text):
                return position, self._unfinished()
            fault, after = self._token(position)
            if fault:
                return after, fault
            position = after

    def _unfinished(self) -> str:
        if self.state != "nothing":
            return f"The document ends where {_EXPECTED[self.state]} is expected."
        return "The document can't be taken as JSON."

    def _token(self, position: int) -> tuple[str, int]:
        character = self.text[position]
        if character == '"' and self.state in ("value", "value or ]", "name", "name or }"):
            return self._string(position)
        if character in "{[" and self.state in ("value", "value or ]"):
            return self._opening(character, position)
        if character in "}]" and self._may_close(character):
            self.open.pop()
            self.state = ", or end" if self.open else "nothing"
            return "", position + 1
        if character == "," and self.state == ", or end":
            self.state = "value" if self.open[-1] is None else "name"
            return "", position + 1
        if character == ":" and self.state == ":":
            self.state = "value"
            return "", position + 1
        if self.state in ("value", "value or ]"):
            return self._plain(position)
        return self._unexpected(position)

    def _may_close(self, character: str) -> bool:
        if self.state not in (", or end", "value or ]", "name or }") or not self.open:
            return False
        return (character == "]") is (self.open[-1] is None)

    def _opening(self, character: str, position: int) -> tuple[str, int]:
        if len(self.open) >= self.max_depth:
            return (
                f"Objects and arrays are nested deeper than {self.max_depth} levels, "
                "which no record needs.",
                position,
            )
        self.open.append(set() if character == "{" else None)
        self.state = "name or }" if character == "{" else "value or ]"
        return "", position + 1

    def _string(self, position: int) -> tuple[str, int]:
        match = _STRING.match(self.text, position)
        if match is None:
            return self._broken_string(position)
        fault, at = _bad_escape(self.text, position, match.end())
        if fault:
            return fault, at
        if not self.state.startswith("name"):
            self._value_read()
            return "", match.end()
        name = _unescaped(match.group())
        names = self.open[-1]
        if names is not None and name in names:
            return f"The member '{_shown(name)}' stands twice in one object. Keep one.", position
        if names is not None:
            names.add(name)
        self.state = ":"
        return "", match.end()

    def _broken_string(self, position: int) -> tuple[str, int]:
        at = _end(_STRING_BODY, self.text, position + 1)
        if at >= len(self.text):
            return "The document ends inside a string: its closing quote is missing.", position
        if self.text[at] == "\\":
            return "This escape is not one of JSON's.", at
        return "A control character stands in a string. Write it as an escape, such as \\n.", at

    def _plain(self, position: int) -> tuple[str, int]:
        number = _NUMBER.match(self.text, position)
        if number is not None:
            if is_number_too_large(number.group()):
                return "This number is too large to be read.", position
            self._value_read()
            return "", number.end()
        word = _WORD.match(self.text, position)
        if word is not None:
            self._value_read()
            return "", word.end()
        if self.text[position] in "-+.0123456789":
            return "This is not a JSON number: write 0.5, 5.0 or 5, without a plus sign.", position
        return self._unexpected(position)

    def _value_read(self) -> None:
        self.state = ", or end" if self.open else "nothing"

    def _unexpected(self, position: int) -> tuple[str, int]:
        character = self.text[position]
        shown = f"'{character}'" if " " < character < "\x7f" else f"U+{ord(character):04X}"
        hint = _AMISS.get(character, "")
        if character in "}]" and self.state in ("name", "value"):
            hint = " Remove the comma before it."
        return f"Expected {_EXPECTED[self.state]} but found {shown}.{hint}", position


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position


def _bad_escape(text: str, start: int, end: int) -> tuple[str, int]:
    # \u0000 and half a surrogate pair are JSON, but no text of a record.
    high_at = -1
    for match in _ESCAPE.finditer(text, start, end):
        unit = int(match.group(1), 16) if match.group(1) else -1
        follows = high_at >= 0 and match.start() == high_at + 6
        if 0xDC00 <= unit <= 0xDFFF and follows:
            high_at = -1
            continue
        if high_at >= 0 or 0xDC00 <= unit <= 0xDFFF:
            at = high_at if high_at >= 0 else match.start()
            return "This escape is half of a surrogate pair; the other half is missing.", at
        if unit == 0:
            return "The NUL character is not allowed in FHIR strings. Remove it.", match.start()
        if 0xD800 <= unit <= 0xDBFF:
            high_at = match.start()
    if high_at >= 0:
        return "This escape is half of a surrogate pair; the other half is missing.", high_at
    return "", end


def _unescaped(token: str) -> str:
    if "\\" not in token:
        return token[1:-1]
    simple = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

    def plain(match: re.Match[str]) -> str:
        if match.group(1):
            return chr(int(match.group(1), 16))
        return simple.get(match.group()[1], match.group()[1])

    # Surrogate pairs stay two halves: equal names still compare equal.
    return _ESCAPE.sub(plain, token[1:-1])


def _shown(name: str) -> str:
    kept = "".join(character if character.isprintable() else "?" for character in name[:64])
    return kept + ("…" if len(name) > 64 else "")
