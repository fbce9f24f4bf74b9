"""Security labels and release times by chance, and the earlier versions that had others."""

from typing import Any

from tests.policy.naive.vocabulary import ACT_CODE, CONFIDENTIALITY, RELEASE_TIME
from tests.policy.world.making import Author, Making, Resource, instant

_LEVELS = ("U", "L", "M", "N", "N", "R", "R", "R", "V", "V")
_SENSITIVITIES = (
    "HIV", "STD", "SUD", "ETH", "PSY", "MH", "SEX", "SDV", "GDIS", "TBOO", "VIO", "ADOL", "PRS",
    "PHY",
)  # fmt: skip


def meta(making: Making, *, share: float = 0.3, tags: tuple[str, ...] = ()) -> Resource:
    """Return `meta`, or nothing: labels in this share of cases, sometimes a release time."""
    found: dict[str, Any] = {}
    security = _security(making) if making.chance(share) else []
    if security:
        found["security"] = security
    if making.chance(share / 2):
        days = making.one((-400, -30, -1, 0.01, 1, 60))
        found["extension"] = [{"url": RELEASE_TIME, "valueInstant": instant(days)}]
    if tags:
        found["tag"] = [{"system": "urn:tags", "code": tag} for tag in tags]
    return {"meta": found} if found else {}


def locked() -> Resource:
    """Return the `meta` of what is sealed and locked."""
    return {"meta": {"security": [{"system": CONFIDENTIALITY, "code": "V"}]}}


def age(making: Making, name: str, authors: list[Author]) -> None:
    """Give a resource later versions with other labels, and delete it now and then."""
    ago = 80.0
    while making.chance(0.25) and ago > 30:
        ago -= making.days(5, 20)
        tags = making.document(name).get("meta", {}).get("tag")
        made = meta(making, share=0.4).get("meta", {}) | ({"tag": tags} if tags else {})
        making.change(name, making.one(authors), ago=ago, meta=made or None)
    if making.chance(0.03):
        making.delete(name, making.one(authors), ago=ago - 10)


def _security(making: Making) -> list[Resource]:
    codes: list[Resource] = []
    if making.chance(0.65):
        codes.append({"system": CONFIDENTIALITY, "code": making.one(_LEVELS)})
    if not codes or making.chance(0.35):
        codes += [{"system": ACT_CODE, "code": code} for code in making.some(_SENSITIVITIES, 1, 2)]
    return codes
