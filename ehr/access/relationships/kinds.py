"""What a relationship is, its kinds (ehr/README.md), and how far each opens a record."""

from dataclasses import dataclass
from enum import IntEnum

from ehr.access.terms import FOREVER, Resource
from fhir_profiles.facets import LOCKED, NORMAL, RESTRICTED


class Kind(IntEnum):
    """K1 to K10, and what opens nothing by itself. SYSTEM comes from client policy, never rows."""

    REGISTERED = 1
    TEAM = 2
    ENCOUNTER = 3
    REFERRAL = 4
    DELEGATED = 5
    SELF = 6
    PROXY = 7
    SELF_CLAIMED = 8
    BREAK_GLASS = 9
    SYSTEM = 10
    RELATED = 11  # a RelatedPerson is there: a proxy rests on it


class Ceiling(IntEnum):
    """How much a relationship opens at most; more is a higher number.

    NOTHING: only others rest on it. MINIMAL: name, birth date, gender, practice and the request
    itself, for who has not accepted yet. PLAN: plan, team and tasks, for who is done. ROLE: all
    that the role's row allows.
    """

    NOTHING = 0
    MINIMAL = 1
    PLAN = 2
    ROLE = 3


# Those who delegate hold one of these themselves.
OF_CARE = (Kind.REGISTERED, Kind.TEAM, Kind.ENCOUNTER, Kind.REFERRAL)
OF_STAFF = (*OF_CARE, Kind.DELEGATED, Kind.SELF_CLAIMED, Kind.BREAK_GLASS)
# The highest confidentiality that a kind opens, where the row's own rule does not say less.
MOST_CONF = dict.fromkeys(Kind, LOCKED) | {
    Kind.SELF_CLAIMED: NORMAL,
    Kind.BREAK_GLASS: RESTRICTED,
}

# What a relationship to the patient's team permits beside the role: to who leads it.
LEADS = "lead"

PEOPLE = frozenset({"Practitioner", "PractitionerRole"})
PLACES = PEOPLE | {"Organization"}
TEAMS = PEOPLE | {"Organization", "CareTeam"}
SERVICES = TEAMS | {"HealthcareService"}


@dataclass(frozen=True, slots=True)
class Relationship:
    """Somebody may see a patient's record from a time to another, [from_, to) in ms.

    `grantee` is named as the source names it (`Terms.name`), never expanded; empty: nobody.
    `behalf`: only while the caller also acts for this one. `basis` is what else it goes by:
    of a REFERRAL the request (below), of a DELEGATED who must still hold a relationship OF_CARE, of
    a PROXY the RelatedPerson that must still be there. `permits` is what a proxy may do,
    `read:plan` …, a space between; LEADS of a TEAM's named lead. `ended`: its source says
    that it is over.

    Rule for requests: a ServiceRequest opens ROLE to its performer only where the patient has
    no relationship with the same `basis` that is `from_task`, of whatever time; else MINIMAL: once
    there is a Task, Tasks say who has accepted.
    """

    kind: Kind
    grantee: str
    from_: int
    to: int = FOREVER
    ceiling: Ceiling = Ceiling.ROLE
    behalf: str = ""
    basis: str = ""
    permits: str = ""
    from_task: bool = False
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """One version of a resource that may give rise to relationships.

    `at` is when the version was written; `before` are the relationships of the version before,
    `birth` the patient's birthDate as text, which only proxies ask for.
    """

    id: str
    document: Resource
    at: int
    before: tuple[Relationship, ...] = ()
    birth: str | None = None

    @property
    def type(self) -> str:
        """The type of the resource."""
        return str(self.document["resourceType"])
