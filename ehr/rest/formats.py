"""Which format to read and which to write: `_format`, Accept and Content-Type (R4 §3.1.0.1.1).

JSON and XML in their formal and their generic names. A browser's text/html gets JSON it can show.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ehr.errors import NotAcceptable, UnsupportedMediaType

Format = Literal["json", "xml"]

FHIR_JSON = "application/fhir+json"
FHIR_XML = "application/fhir+xml"
FHIR_TYPES = frozenset({FHIR_JSON, FHIR_XML})
MEDIA_TYPES: dict[Format, str] = {"json": FHIR_JSON, "xml": FHIR_XML}

_NAMES: dict[str, Format] = {
    FHIR_JSON: "json",
    "application/json": "json",
    "text/json": "json",
    "json": "json",
    "application/json+fhir": "json",
    FHIR_XML: "xml",
    "application/xml": "xml",
    "text/xml": "xml",
    "xml": "xml",
    "application/xml+fhir": "xml",
}
_RANGES: dict[str, Format] = {"*/*": "json", "*": "json", "application/*": "json", "text/*": "json"}
_HTML = frozenset({"text/html", "application/xhtml+xml", "html"})
_OFFER = f"Offered: {FHIR_JSON} and {FHIR_XML}."
_VERSIONS = frozenset({"4.0", "4.0.1", "4"})
_UTF_8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_PARAMETER = re.compile(r';\s*([A-Za-z0-9!#$&^_.+-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;,\s"]*)')
_LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class MediaType:
    """One media type or range with its parameters; names are lower case, quality from 0 to 1."""

    name: str
    parameters: tuple[tuple[str, str], ...] = ()
    quality: float = 1.0

    def parameter(self, name: str) -> str | None:
        """Return the value of a parameter, without its quotes."""
        return next((value for found, value in self.parameters if found == name), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """How to answer: the format, its media type, and whether the caller named a FHIR type."""

    format: Format = "json"
    media_type: str = FHIR_JSON
    explicit: bool = False


@lru_cache(maxsize=256)
def negotiate(accept: str, formats: tuple[str, ...], *, raw: bool = False) -> Answer:
    """Return how to answer; `formats` are the `_format` values, which win over Accept.

    With `raw` (a Binary) any media type may be asked for first; the answer then serves errors.
    """
    if formats:
        return _by_format(formats[-1])
    ranges = read_accept(accept)
    if not ranges:
        return Answer()
    if raw:
        return _answer(ranges[0]) or Answer()
    for found in ranges:
        answer = _answer(found)
        if answer is not None:
            return answer
    raise NotAcceptable(
        _version_fault(ranges) or f"None of the media types in Accept can be written. {_OFFER}"
    )


def _version_fault(ranges: Iterable[MediaType]) -> str:
    for found in ranges:
        version = found.parameter("fhirversion")
        if version is not None and version not in _VERSIONS:
            return f"fhirVersion={version[:20]} can't be written. This is R4: ask for 4.0, or none."
    return ""


def read_accept(accept: str) -> list[MediaType]:
    """Return the media ranges of an Accept header that are wanted, the most wanted first."""
    found = [_media_type(part) for part in accept[:_LONGEST].split(",") if part.strip()]
    wanted = [each for each in found if each.quality > 0]
    if found and not wanted:
        raise NotAcceptable(f"Accept refuses everything that it names. {_OFFER}")
    return sorted(wanted, key=_rank)


def content_format(content_type: str) -> Format | None:
    """Return the format of a body by its Content-Type; None when it is no FHIR format."""
    media_type = read_content_type(content_type)
    return _NAMES.get(media_type.name) if "/" in media_type.name else None


def read_content_type(content_type: str) -> MediaType:
    """Return a Content-Type taken apart; raise where charset or FHIR version are not ours."""
    media_type = _media_type(content_type[:_LONGEST])
    if media_type.name not in _NAMES:
        return media_type
    charset = (media_type.parameter("charset") or "utf-8").lower()
    if charset not in _UTF_8:
        raise UnsupportedMediaType(f"The charset {charset} is not read. Send the body as UTF-8.")
    version = media_type.parameter("fhirversion") or "4.0"
    if version not in _VERSIONS:
        raise UnsupportedMediaType(
            f"fhirVersion={version[:20]} is not read. This is R4: send fhirVersion=4.0 or none."
        )
    return media_type


def _by_format(text: str) -> Answer:
    # A plus sign that nobody escaped arrives as a space.
    media_type = _media_type(re.sub(r"(?<=fhir) (?=json|xml)", "+", text.strip()[:_LONGEST]))
    answer = _answer(media_type)
    if answer is None or media_type.name in _RANGES:
        raise NotAcceptable(
            _version_fault([media_type])
            or f"_format={text[:80]} can't be written. Use json or xml."
        )
    return Answer(answer.format, answer.media_type, explicit=media_type.name not in _HTML)


def _answer(media_type: MediaType) -> Answer | None:
    version = media_type.parameter("fhirversion")
    if version is not None and version not in _VERSIONS:
        return None
    if media_type.name in _HTML:
        return Answer("json", "application/json")
    found = (
        _NAMES.get(media_type.name)
        if "/" in media_type.name or media_type.name in ("json", "xml")
        else None
    )
    if found is not None:
        return Answer(found, MEDIA_TYPES[found], explicit=media_type.name in FHIR_TYPES)
    ranged = _RANGES.get(media_type.name)
    return None if ranged is None else Answer(ranged, MEDIA_TYPES[ranged])


def _rank(media_type: MediaType) -> tuple[float, int]:
    wildcards = media_type.name.count("*")
    return -media_type.quality, wildcards


def _media_type(text: str) -> MediaType:
    name, separator, rest = text.partition(";")
    parameters = tuple(
        (found[1].lower(), _unquoted(found[2])) for found in _PARAMETER.finditer(separator + rest)
    )
    quality = next((value for key, value in parameters if key == "q"), "1")
    return MediaType(name.strip().lower(), parameters, _quality(quality))


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value[:1] == '"' else value


def _quality(text: str) -> float:
    """Return a weight; a broken one counts as 1, since the type was named on purpose."""
    return float(text) if re.fullmatch(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?", text) else 1.0
