"""NHS and CHI numbers: ten digits, the last of which checks the others (modulus 11). Pure.

A CHI number begins with the date of birth, DDMMYY. Neither ever stands in an address or a log.
"""

import re

NHS, CHI = "nhs", "chi"
NAMES = {NHS: "NHS number", CHI: "CHI number"}
# How identifiers of the record name them.
SYSTEMS = {
    NHS: "https://fhir.nhs.uk/Id/nhs-number",
    CHI: "urn:oid:2.16.840.1.113883.2.1.3.2.4.16.53",
}
_DIGITS = re.compile("[0-9]{10}")


def plain(text: str) -> str:
    """Return a number without the spaces and hyphens that people write into it."""
    return re.sub(r"[\s-]", "", text)


def fault(kind: str, number: str, birth_date: str) -> str | None:
    """Say why a plain number can't be one of this kind and of somebody born then."""
    if not _DIGITS.fullmatch(number):
        return f"A {NAMES[kind]} has 10 digits."
    weighted = sum(int(digit) * (10 - at) for at, digit in enumerate(number[:9]))
    if (11 - weighted % 11) % 11 != int(number[9]):  # a remainder that asks for 10 has no digit
        return (
            f"This is not a valid {NAMES[kind]}: its last digit does not fit the others. "
            "Check each one."
        )
    begins = "".join(reversed(birth_date[2:].split("-")))  # DDMMYY; nothing where it is not known
    if kind == CHI and not number.startswith(begins):
        return "The CHI number does not begin with the date of birth. Check both."
    return None
