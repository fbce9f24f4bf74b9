"""Small populations of varied resources: people, what is done for them, and what it refers to.

Valid R4, with everything a sender may leave out left out now and then.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from tests.spec.oracle.elements import Resource
from tests.spec.oracle.made_definitions import Definitions, terminology
from tests.spec.oracle.made_values import (
    ALIKE,
)

BASE = "http://localhost/fhir"
# How many of each hundred resources are of which type.
SHARES = {
    "Patient": 14, "Practitioner": 5, "Organization": 5, "Location": 3, "Encounter": 8,
    "Observation": 22, "Condition": 8, "CarePlan": 6, "CareTeam": 3, "RiskAssessment": 4,
    "ValueSet": 4, "DocumentReference": 4, "List": 2, "Task": 3, "Provenance": 2,
    "ServiceRequest": 4, "MedicationRequest": 4, "Medication": 2, "Questionnaire": 2,
    "QuestionnaireResponse": 4, "Group": 4, "Goal": 2, "Invoice": 2, "ConceptMap": 2,
}  # fmt: skip


def population(rng: Random, size: int) -> list[Resource]:
    """Return resources with ids; the same id may be there under several types."""
    types = [type for type, share in SHARES.items() for _ in range(max(1, share * size // 100))]
    names: dict[str, list[str]] = {}
    for type in types:
        names.setdefault(type, []).append(str(len(names.get(type, ()))))
    people = _People(rng, names)
    made = [people.make(type, id) for type, ids in names.items() for id in ids]
    return [*made, *terminology()]


class _People(Definitions):
    """Makes resources that refer to each other by the ids that there will be."""

    def __init__(self, rng: Random, names: dict[str, list[str]]) -> None:
        super().__init__(rng)
        self.names = names
        # Few of all texts, so that some of them meet.
        self.words = [word for _ in range(4) for word in self.pick(ALIKE)]

    def make(self, type: str, id: str) -> Resource:
        """Return one resource, without what was left out."""
        made = self._made(type, id)
        if self.rng.random() < 0.12 and "contained" not in made:
            self._contain(made)
        meta = self.maybe(self._meta, 0.4)
        return made | {"meta": meta} if meta else made

    def _made(self, type: str, id: str) -> Resource:
        maker: Callable[[], Resource] = getattr(self, f"_{type.lower()}")
        made = {"resourceType": type, "id": id, **maker()}
        return {name: value for name, value in made.items() if value is not None}

    def _contain(self, made: Resource) -> None:
        """Move what some references lead to into the resource itself, and lead some inside on."""
        references = _local(made)
        self.rng.shuffle(references)
        inside: list[Resource] = []
        for reference in references[:2]:
            type = reference["reference"].partition("/")[0]
            one = self._made(type, f"c{len(inside)}")
            if "contained" not in one:
                reference["reference"] = f"#{one['id']}"
                inside.append(one)
        for one in inside:
            for reference in _local(one):
                type = reference["reference"].partition("/")[0]
                around = [f"#{each['id']}" for each in inside if each["resourceType"] == type]
                around += ["#"] if made["resourceType"] == type else []
                if around and self.rng.random() < 0.6:
                    reference["reference"] = self.pick(around)
        if inside:
            made["contained"] = inside

    def _meta(self) -> Resource:
        made = {
            "tag": self.maybe(lambda: self.several(self._whole_coding)),
            "security": self.maybe(lambda: self.several(self._whole_coding), 0.4),
            "profile": self.maybe(lambda: self.several(self._url), 0.4),
            "source": self.maybe(self._url, 0.4),
        }
        kept = {name: value for name, value in made.items() if value is not None}
        return kept or {"tag": [self._whole_coding()]}

    def _name(self) -> Resource:
        made = {
            "family": self.maybe(self.word, 0.8),
            "given": self.maybe(lambda: self.several(self.word), 0.8),
            "prefix": self.maybe(lambda: [self.word()], 0.2),
            "text": self.maybe(self.word, 0.2),
        }
        kept = {name: value for name, value in made.items() if value is not None}
        if "given" in kept and self.rng.random() < 0.1:
            absent = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}
            kept["given"] = [*kept["given"], None]
            nothing: list[Any] = [None] * (len(kept["given"]) - 1)
            kept["_given"] = [*nothing, {"extension": [absent | {"valueCode": "unknown"}]}]
        return kept or {"use": "official"}

    def _address(self) -> Resource:
        made = {
            "use": self.maybe(lambda: self.pick(("home", "work")), 0.4),
            "line": self.maybe(lambda: self.several(self.word), 0.5),
            "city": self.maybe(self.word),
            "postalCode": self.maybe(lambda: self.pick(("IV12 4AB", "IV2", "iv51", "EH1 1YZ"))),
            "country": self.maybe(self.word, 0.3),
        }
        kept = {name: value for name, value in made.items() if value is not None}
        return kept or {"text": self.word()}

    def _telecom(self) -> Resource:
        value = self.pick(("07700900123", "+44 20 7946 0000", "a@example.org", "A@EXAMPLE.ORG"))
        return {"system": self.pick(("phone", "email")), "value": value}

    def ref(self, *types: str) -> Resource:
        """Return a Reference to one of these types: here, elsewhere, nowhere, or by identifier."""
        type = self.pick(types)
        id = self.pick([*self.names.get(type, ()), "gone"])
        kind = self.rng.randrange(24)
        made: Resource = {"reference": f"{type}/{id}"}
        if kind == 0:
            made = {"reference": f"{BASE}/{type}/{id}"}
        elif kind == 1:
            made = {"reference": f"https://elsewhere.example/fhir/{type}/{id}"}
        elif kind == 2:
            made = {"identifier": self.identifier(whole=True), "type": type}
        elif kind == 3:
            made["identifier"] = self.identifier(whole=True)
        elif kind == 4:
            made = {"display": self.word()}
        elif kind == 5:
            made = {"reference": "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7"}
        elif kind == 6:
            made["reference"] += "/_history/1"
        elif kind == 7:
            made["type"] = type
        return made

    def _refs(self, *types: str) -> list[Resource] | None:
        return self.maybe(lambda: self.several(lambda: self.ref(*types)), 0.5)

    def _subject(self) -> Resource:
        return self.ref("Patient", "Patient", "Patient", "Patient", "Group")

    def _patient(self) -> Resource:
        maiden = "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName"
        made: Resource = {
            "extension": self.maybe(lambda: [{"url": maiden, "valueString": self.word()}], 0.3),
            "identifier": self.maybe(lambda: self.several(self.identifier)),
            "active": self.maybe(lambda: self.pick((True, False))),
            "name": self.maybe(lambda: self.several(self._name), 0.85),
            "telecom": self.maybe(lambda: self.several(self._telecom)),
            "gender": self.maybe(lambda: self.pick(("male", "female", "other", "unknown"))),
            "birthDate": self.maybe(self.day, 0.8),
            "address": self.maybe(lambda: self.several(self._address)),
            "generalPractitioner": self._refs("Practitioner", "Organization"),
            "managingOrganization": self.maybe(lambda: self.ref("Organization"), 0.4),
            "communication": self.maybe(lambda: [{"language": self.concept()}], 0.4),
        }
        kind = self.rng.randrange(4)
        if kind == 0:
            made["deceasedBoolean"] = self.pick((True, False))
        elif kind == 1:
            made["deceasedDateTime"] = self.moment()
        return made

    def _practitioner(self) -> Resource:
        return {
            "identifier": self.maybe(lambda: self.several(self.identifier)),
            "name": self.maybe(lambda: [self._name()]),
            "telecom": self.maybe(lambda: [self._telecom()]),
            "active": self.maybe(lambda: self.pick((True, False))),
        }

    def _organization(self) -> Resource:
        return {
            "identifier": self.maybe(lambda: [self.identifier()]),
            "name": self.word(),
            "alias": self.maybe(lambda: self.several(self.word), 0.3),
            "type": self.maybe(lambda: [self.concept()]),
            "partOf": self.maybe(lambda: self.ref("Organization"), 0.5),
            "address": self.maybe(lambda: [self._address()], 0.4),
        }

    def _location(self) -> Resource:
        return {
            "name": self.maybe(self.word),
            "partOf": self.maybe(lambda: self.ref("Location"), 0.5),
            "position": self.maybe(self.position, 0.8),
            "managingOrganization": self.maybe(lambda: self.ref("Organization")),
            "address": self.maybe(self._address, 0.5),
        }

    def _encounter(self) -> Resource:
        return {
            "status": self.pick(("finished", "planned", "in-progress")),
            "class": self.coding(),
            "type": self.maybe(lambda: self.several(self.concept)),
            "subject": self.maybe(self._subject, 0.9),
            "participant": self.maybe(lambda: [{"individual": self.ref("Practitioner")}]),
            "period": self.maybe(self.period),
            "length": self.maybe(
                lambda: {
                    "value": self.number(),
                    "unit": "day",
                    "system": "http://unitsofmeasure.org",
                    "code": "d",
                },
                0.4,
            ),
            "serviceProvider": self.maybe(lambda: self.ref("Organization")),
            "partOf": self.maybe(lambda: self.ref("Encounter"), 0.3),
            "location": self.maybe(lambda: [{"location": self.ref("Location")}], 0.4),
            "diagnosis": self.maybe(lambda: [{"condition": self.ref("Condition")}], 0.4),
        }

    def _value(self) -> Resource:
        made: dict[str, Callable[[], Any]] = {
            "valueQuantity": self.quantity,
            "valueCodeableConcept": self.concept,
            "valueString": self.word,
            "valueDateTime": self.moment,
            "valuePeriod": self.period,
            "valueBoolean": lambda: True,
            "valueInteger": lambda: self.pick((1, 2, 100)),
            "valueSampledData": self._sampled,
        }
        kind = self.pick(("valueQuantity", "valueQuantity", "valueCodeableConcept", *made))
        return {kind: made[kind]()}

    def _sampled(self) -> Resource:
        return {
            "origin": self.quantity(compared=False),
            "period": 10,
            "factor": self.number(),
            "dimensions": 1,
            "data": self.pick(("1 2 3", "E 5 U", "0.5 -1")),
        }

    def _component(self) -> Resource:
        return {"code": self.concept(), **(self.maybe(self._value, 0.8) or {})}

    def _observation(self) -> Resource:
        effective = {
            "effectiveDateTime": self.moment,
            "effectivePeriod": self.period,
            "effectiveTiming": self.timing,
            "effectiveInstant": self.instant,
        }
        kind = self.pick(("effectiveDateTime", *effective))
        return {
            "identifier": self.maybe(lambda: [self.identifier()], 0.3),
            "status": self.pick(("final", "preliminary", "amended")),
            "category": self.maybe(lambda: self.several(self.concept)),
            "code": self.concept(),
            "subject": self.maybe(self._subject, 0.9),
            "encounter": self.maybe(lambda: self.ref("Encounter"), 0.5),
            kind: self.maybe(effective[kind], 0.85),
            "issued": self.maybe(self.instant, 0.3),
            "performer": self._refs("Practitioner", "Organization", "Patient"),
            **(self.maybe(self._value, 0.8) or {}),
            "hasMember": self.maybe(lambda: self.several(lambda: self.ref("Observation")), 0.2),
            "derivedFrom": self.maybe(lambda: [self.ref("Observation")], 0.2),
            "component": self.maybe(lambda: self.several(self._component, 3), 0.4),
        }

    def _condition(self) -> Resource:
        onset: dict[str, Callable[[], Any]] = {
            "onsetDateTime": self.moment,
            "onsetPeriod": self.period,
            "onsetRange": self.range,
            "onsetString": self.word,
            "onsetAge": lambda: {
                "value": self.pick((40, 41)),
                "unit": "a",
                "system": "http://unitsofmeasure.org",
                "code": "a",
            },
        }
        kind = self.pick(tuple(onset))
        clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical"
        return {
            "clinicalStatus": {"coding": [{"system": clinical, "code": "active"}]},
            "code": self.maybe(self.concept, 0.9),
            "subject": self._subject(),
            "encounter": self.maybe(lambda: self.ref("Encounter"), 0.5),
            kind: self.maybe(onset[kind]),
            "recordedDate": self.maybe(self.moment),
        }

    def _careplan(self) -> Resource:
        detail = {
            "status": "scheduled",
            "code": self.maybe(self.concept),
            self.pick(("scheduledPeriod",)): self.period(),
        }
        return {
            "status": self.pick(("active", "draft")),
            "intent": "plan",
            "subject": self._subject(),
            "period": self.maybe(self.period),
            "category": self.maybe(lambda: self.several(self.concept)),
            "addresses": self._refs("Condition"),
            "careTeam": self._refs("CareTeam"),
            "goal": self._refs("Goal"),
            "activity": self.maybe(
                lambda: [{"detail": {name: each for name, each in detail.items() if each}}], 0.5
            ),
        }

    def _careteam(self) -> Resource:
        return {
            "status": "active",
            "subject": self.maybe(self._subject),
            "period": self.maybe(self.period),
            "participant": self.maybe(
                lambda: self.several(
                    lambda: {"member": self.ref("Practitioner", "Organization", "Patient")}
                )
            ),
        }

    def _riskassessment(self) -> Resource:
        def prediction() -> Resource:
            made: dict[str, Callable[[], Any]] = {
                "probabilityDecimal": lambda: abs(self.number()),
                "probabilityRange": self.range,
            }
            kind = self.pick(tuple(made))
            return {kind: made[kind](), "outcome": self.concept()}

        kind = self.pick(("occurrenceDateTime", "occurrencePeriod"))
        return {
            "status": "final",
            "subject": self._subject(),
            kind: self.moment() if kind == "occurrenceDateTime" else self.period(),
            "prediction": self.maybe(lambda: self.several(prediction), 0.9),
        }

    def _documentreference(self) -> Resource:
        attachment: Resource = {
            "contentType": self.pick(("text/xml", "text/xml; charset=UTF-8", "application/pdf"))
        }
        if self.rng.random() < 0.6:
            attachment["url"] = self._url()
        return {
            "status": "current",
            "masterIdentifier": self.maybe(self.identifier, 0.4),
            "type": self.maybe(self.concept),
            "subject": self.maybe(self._subject),
            "date": self.maybe(self.instant),
            "author": self._refs("Practitioner", "Organization"),
            "description": self.maybe(self.word),
            "relatesTo": self.maybe(
                lambda: self.several(
                    lambda: {
                        "code": self.pick(("replaces", "appends")),
                        "target": self.ref("DocumentReference"),
                    }
                )
            ),
            "content": [{"attachment": attachment}],
        }

    def _list(self) -> Resource:
        return {
            "status": "current",
            "mode": "working",
            "title": self.maybe(self.word),
            "subject": self.maybe(self._subject),
            "date": self.maybe(self.moment),
            "entry": self.several(
                lambda: {"item": self.ref("Patient", "Observation", "Condition")}, 4
            ),
        }

    def _task(self) -> Resource:
        return {
            "status": self.pick(("requested", "completed")),
            "intent": "order",
            "for": self.maybe(lambda: self.ref("Patient")),
            "focus": self.maybe(lambda: self.ref("Observation", "CarePlan")),
            "owner": self.maybe(lambda: self.ref("Practitioner", "Organization")),
            "authoredOn": self.maybe(self.moment),
            "executionPeriod": self.maybe(self.period),
        }

    def _provenance(self) -> Resource:
        return {
            "target": self.several(lambda: self.ref("CarePlan", "Observation", "Condition")),
            "recorded": self.instant(),
            "agent": [{"who": self.ref("Practitioner", "Organization")}],
        }

    def _servicerequest(self) -> Resource:
        kind = self.pick(("occurrenceDateTime", "occurrencePeriod", "occurrenceTiming"))
        made = {
            "occurrenceDateTime": self.moment,
            "occurrencePeriod": self.period,
            "occurrenceTiming": self.timing,
        }
        return {
            "status": "active",
            "intent": "order",
            "code": self.maybe(self.concept),
            "subject": self._subject(),
            kind: self.maybe(made[kind], 0.9),
            "authoredOn": self.maybe(self.moment),
            "requester": self.maybe(lambda: self.ref("Practitioner", "Organization")),
            "basedOn": self._refs("ServiceRequest", "CarePlan"),
            "instantiatesCanonical": self.maybe(lambda: [self._canonical()], 0.3),
            "instantiatesUri": self.maybe(lambda: [self._url()], 0.3),
        }

    def _medicationrequest(self) -> Resource:
        made: Resource = {
            "status": "active",
            "intent": "order",
            "subject": self._subject(),
            "authoredOn": self.maybe(self.moment),
            "requester": self.maybe(lambda: self.ref("Practitioner", "Organization")),
        }
        kind = self.rng.randrange(3)
        if kind == 0:
            return made | {"medicationCodeableConcept": self.concept()}
        if kind == 1:
            return made | {"medicationReference": self.ref("Medication")}
        inside = {name: each for name, each in self._medication().items() if each is not None}
        contained = {"resourceType": "Medication", "id": "m1", **inside}
        return made | {"contained": [contained], "medicationReference": {"reference": "#m1"}}

    def _medication(self) -> Resource:
        return {
            "code": self.maybe(self.concept),
            "status": self.maybe(lambda: "active"),
            "ingredient": self.maybe(
                lambda: self.several(lambda: {"itemCodeableConcept": self.concept()})
            ),
        }

    def _questionnaireresponse(self) -> Resource:
        made: Resource = {
            "status": "completed",
            "questionnaire": self.maybe(self._canonical),
            "subject": self.maybe(self._subject),
            "authored": self.maybe(self.moment),
            "author": self.maybe(lambda: self.ref("Practitioner")),
        }
        kind = self.rng.randrange(8)
        if kind == 0:
            made["questionnaire"] = "#q"
            made["contained"] = [self._made("Questionnaire", "q")]
        elif kind < 3:
            # Not what R4 asks for, but met: the address of a form.
            name = f"Questionnaire/{self.pick([*self.names['Questionnaire'], 'gone'])}"
            made["questionnaire"] = self.pick((name, f"{BASE}/{name}", f"{name}|1.0"))
        return made

    def _group(self) -> Resource:
        def characteristic() -> Resource:
            made: dict[str, Callable[[], Any]] = {
                "valueCodeableConcept": self.concept,
                "valueBoolean": lambda: self.pick((True, False)),
                "valueQuantity": self.quantity,
                "valueRange": self.range,
            }
            kind = self.pick(tuple(made))
            return {
                "code": self.concept(),
                kind: made[kind](),
                "exclude": self.pick((True, False)),
            }

        return {
            "type": "person",
            "actual": True,
            "code": self.maybe(self.concept),
            "managingEntity": self.maybe(lambda: self.ref("Organization", "Practitioner")),
            "characteristic": self.maybe(lambda: self.several(characteristic), 0.8),
            "member": self.maybe(
                lambda: self.several(lambda: {"entity": self.ref("Patient", "Practitioner")})
            ),
        }

    def _goal(self) -> Resource:
        return {
            "lifecycleStatus": "active",
            "description": self.concept(),
            "subject": self._subject(),
            "startDate": self.maybe(self.day),
            "target": self.maybe(lambda: self.several(lambda: {"dueDate": self.day()})),
        }

    def _invoice(self) -> Resource:
        return {
            "status": "issued",
            "subject": self.maybe(self._subject),
            "date": self.maybe(self.moment),
            "totalGross": self.maybe(
                lambda: {"value": self.number(), "currency": self.pick(("GBP", "EUR"))}
            ),
            "totalNet": self.maybe(lambda: {"value": self.number()}),
        }


def _local(value: Any) -> list[Resource]:
    """Return the References below a value that lead to a resource of ours, as objects."""
    if isinstance(value, list):
        return [found for each in value for found in _local(each)]
    if not isinstance(value, dict):
        return []
    text = value.get("reference")
    if isinstance(text, str) and text.partition("/")[0] in SHARES and text.count("/") == 1:
        return [value]
    return [found for each in value.values() for found in _local(each)]
