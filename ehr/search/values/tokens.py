"""What the value of a token parameter asks for (R4 search.html §3.1.1.4.10)."""

from ehr.search.values.escapes import refuse, split
from fhir_profiles.extraction import leaves
from fhir_profiles.search_parameters import SearchParameter

_UNSCOPED = frozenset(("ContactPoint", "uri", "boolean"))


def read_token(parameter: SearchParameter, value: str) -> tuple[str | None, str]:
    """Return (system, code): system None means any, "" none; code "" means any."""
    parts = split(parameter, value, "|")
    if len(parts) > 1 and all(leaf.type in _UNSCOPED for leaf in leaves(parameter)):
        # "the presence of the pipe symbol SHALL NOT be used - only the [code] form is allowed"
        raise refuse(parameter, value, "a value alone: what it searches has no system")
    if len(parts) == 1:
        return None, parts[0]
    if len(parts) > 2 or parts == ["", ""]:
        raise refuse(
            parameter,
            value,
            "a token: code, system|code, |code or system| (write \\| for a bar inside a value)",
        )
    return parts[0], parts[1]
