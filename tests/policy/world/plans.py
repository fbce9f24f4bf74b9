"""The shared plan of a patient: goals in life areas, plans that name them, problems and needs."""

from tests.policy.world.labelling import meta
from tests.policy.world.making import Making, Resource, concept, ref
from tests.policy.world.people import Subject
from tests.policy.world.places import LIFE_AREA

_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"


def make_conditions(making: Making, subject: Subject) -> list[str]:
    """Make problems, diagnoses and needs, and return their names."""
    found = []
    for _ in range(making.random.randint(2, 4)):
        category = making.one(("problem-list-item", "encounter-diagnosis", "need", "need"))
        document: Resource = {
            "resourceType": "Condition",
            **meta(making),
            "clinicalStatus": concept(
                making.one(("active", "active", "recurrence", "relapse", "resolved")), _CLINICAL
            ),
            "verificationStatus": concept("confirmed", _VERIFIED),
            "category": [concept(category, _CATEGORY)],
            "code": concept("73211009"),
            "subject": ref(subject.name),
        }
        if making.chance(0.2):
            document["contained"] = [
                {"resourceType": "Practitioner", "id": "who", "name": [{"family": "Locum"}]}
            ]
            document["asserter"] = ref("#who")
        found.append(making.add(document, making.one(subject.authors)))
    return found


def make_plan(making: Making, subject: Subject, team: str, conditions: list[str]) -> list[str]:
    """Make goals and a plan, and return the names of all."""
    reported = making.add(
        {
            "resourceType": "Observation",
            **meta(making, tags=("patient-reported",)),
            "status": "preliminary",
            "code": concept("85354-9", "http://loinc.org"),
            "subject": ref(subject.name),
        },
        making.one(subject.authors),
    )
    for _ in range(making.random.randint(1, 3)):
        area = making.one(("accommodation", "social-cultural-spiritual", "treatment"))
        goal: Resource = {
            "resourceType": "Goal",
            **meta(making, share=0.1),
            "lifecycleStatus": making.one(("proposed", "active", "active", "completed")),
            "category": [concept(area, LIFE_AREA)],
            "description": {"text": "Walk to the shop"},
            "subject": ref(subject.name),
            "addresses": [ref(name) for name in making.some(conditions, 1, 2)],
        }
        if making.chance(0.3):
            goal["outcomeReference"] = [ref(reported)]
        subject.goals.append(making.add(goal, making.one(subject.authors)))
    plan: Resource = {
        "resourceType": "CarePlan",
        **meta(making, share=0.1),
        "status": making.one(("active", "active", "active", "draft", "revoked")),
        "intent": "plan",
        "subject": ref(subject.name),
        "careTeam": [ref(team)],
        "goal": [ref(name) for name in making.some(subject.goals, 1, 2)],
    }
    if making.chance(0.4):
        plan["supportingInfo"] = [ref(reported)]
    if making.chance(0.3):
        plan["activity"] = [{"outcomeReference": [ref(reported)]}]
    return [reported, *subject.goals, making.add(plan, making.one(subject.workers).author)]
