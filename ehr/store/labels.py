"""Security labels of a resource as the columns that access asks: `conf` and `sens`.

Confidentiality U < L < M < N < R < V as 0…5 (HL7 v3 Confidentiality); a missing label is N. Each
sensitivity code has one bit. Labels come from `meta.security` (R4 security-labels).
"""

from typing import Any

from ehr.messages import Resource

CONFIDENTIALITY = {"U": 0, "L": 1, "M": 2, "N": 3, "R": 4, "V": 5}
NORMAL = CONFIDENTIALITY["N"]
# The order is the bit and is never changed; new codes go to the end.
SENSITIVITY = (
    "HIV", "STD", "SUD", "ETH", "PSY", "MH", "SEX", "SDV", "GDIS", "TBOO", "VIO", "ADOL",
    "PRS", "PHY", "ETHUD", "OPIOIDUD", "SCA", "SICKLE", "DVD", "SEXHLTH",
)  # fmt: skip
_BITS = {code: 1 << bit for bit, code in enumerate(SENSITIVITY)}


def labels(resource: Resource) -> tuple[int, int]:
    """Return (conf, sens) of a resource: its highest confidentiality and all its sensitivities."""
    security: list[Any] = resource.get("meta", {}).get("security") or []
    if not security:
        return NORMAL, 0
    codes = [str(label.get("code")) for label in security if isinstance(label, dict)]
    levels = [CONFIDENTIALITY[code] for code in codes if code in CONFIDENTIALITY]
    sensitivity = 0
    for code in codes:
        sensitivity |= _BITS.get(code, 0)
    return max(levels, default=NORMAL), sensitivity
