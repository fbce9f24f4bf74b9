"""The lines and blocks of the care journeys J1-J10 that a role alone decides.

What needs a relationship, a consent, a label or the state of a Task is decided by others; here is
whether the role lets it come that far.
"""

import pytest

from auth.roles.families import FAMILY_OF
from auth.roles.known import WORDS
from auth.roles.matrix import LETTERS, may, narrowings

# (journey and step, role, letters, type, word that is among the alternatives; "" for no narrowing)
STEPS = [
    ("J1.1 looks the patient up", "gp", "s", "Patient", ""),
    ("J1.2 reads what changed: plan", "gp", "rs", "CarePlan", ""),
    ("J1.2 reads what changed: goals", "gp", "rs", "Goal", ""),
    ("J1.2 reads what changed: team", "gp", "rs", "CareTeam", ""),
    ("J1.2 reads what changed: flags", "gp", "rs", "Flag", ""),
    ("J1.2 reads what changed: problems", "gp", "rs", "Condition", ""),
    ("J1.2 reads what changed: tasks", "gp", "rs", "Task", ""),
    ("J1.3 makes the team", "gp", "c", "CareTeam", ""),
    ("J1.3 makes the plan", "gp", "c", "CarePlan", ""),
    ("J1.3 makes goals", "gp", "c", "Goal", ""),
    ("J1.4 invites by referral", "gp", "c", "ServiceRequest", "clinical"),
    ("J1.4 invites by Task", "gp", "c", "Task", ""),
    ("J1.5 agrees", "patient", "u", "CarePlan", "comment"),
    ("J1.6 activates the plan", "gp", "u", "CarePlan", ""),
    ("J2.1 admits", "hospital-consultant", "c", "Encounter", "mine"),
    ("J2.2 reads the anticipatory plan", "hospital-consultant", "rs", "CarePlan", ""),
    ("J2.2 starts a thread", "hospital-consultant", "c", "Communication", ""),
    ("J2.3 asks by Tasks", "hospital-consultant", "c", "Task", ""),
    ("J2.3 the social worker answers one", "social-worker", "ru", "Task", ""),
    ("J2.3 the nurse answers one", "nurse", "ru", "Task", ""),
    ("J2.4 says when ready", "hospital-consultant", "u", "Encounter", "mine"),
    ("J2.5 writes the handover", "hospital-consultant", "c", "Composition", ""),
    ("J2.6 finishes the stay", "hospital-consultant", "u", "Encounter", "mine"),
    ("J2.7 the GP accepts", "gp", "u", "Task", ""),
    ("J3.1 accepts the Task", "social-worker", "u", "Task", ""),
    ("J3.2 writes needs", "social-worker", "c", "Condition", "need"),
    ("J3.2 writes the assessment", "social-worker", "c", "QuestionnaireResponse", ""),
    ("J3.3 orders home care", "social-worker", "c", "ServiceRequest", ""),
    ("J3.5 reduces hours", "social-worker", "u", "ServiceRequest", "care+mine"),
    ("J4.1 adds a goal", "patient", "c", "Goal", "proposed"),
    ("J4.2 the lead rewords it", "named-lead", "u", "Goal", ""),
    ("J4.2 the lead gets a Task", "named-lead", "ru", "Task", ""),
    ("J4.3 adds home readings", "patient", "c", "Observation", "reported"),
    ("J4.4 the nurse takes the triage Task", "nurse", "ru", "Task", ""),
    ("J4 says “I did it”", "patient", "u", "Task", "party"),
    ("J5.1 gives a proxy grant", "patient", "c", "Consent", "access"),
    ("J5.1 records a legal basis", "privacy-officer", "c", "Consent", "access"),
    ("J5.1 records a legal basis", "named-lead", "c", "Consent", "access"),
    ("J5.3 writes on behalf", "carer", "c", "Observation", "reported+grant"),
    ("J6.1 looks the patient up", "urgent-care", "s", "Patient", ""),
    ("J6.1 has an encounter", "urgent-care", "c", "Encounter", "mine"),
    ("J6.2 alerts", "urgent-care", "rs", "Flag", "unlocked"),
    ("J6.2 plans", "urgent-care", "rs", "CarePlan", ""),
    ("J6.2 About Me", "urgent-care", "rs", "QuestionnaireResponse", ""),
    ("J6.2 About Me as document", "urgent-care", "rs", "Composition", ""),
    ("J6.2 medicines", "urgent-care", "rs", "MedicationRequest", ""),
    ("J6.2 allergies", "urgent-care", "rs", "AllergyIntolerance", ""),
    ("J6.2 the lead", "urgent-care", "rs", "CareTeam", ""),
    ("J6.2 the lead's telephone", "urgent-care", "rs", "PractitionerRole", ""),
    ("J6.2 packages", "urgent-care", "rs", "ServiceRequest", ""),
    ("J6.2 the carer", "urgent-care", "rs", "RelatedPerson", ""),
    ("J6.2 last seen where", "urgent-care", "rs", "Encounter", ""),
    ("J6.3 tells the lead", "urgent-care", "c", "Communication", ""),
    ("J6.4 sends home with help", "urgent-care", "c", "ServiceRequest", "clinical"),
    ("J7.4 reviews", "privacy-officer", "ru", "Task", "review"),
    ("J7.4 the lead reviews", "named-lead", "ru", "Task", ""),
    ("J7.5 reads the trail", "privacy-officer", "rs", "AuditEvent", ""),
    ("J8 refers", "gp", "c", "ServiceRequest", "clinical"),
    ("J8 sees where the referral is", "patient", "rs", "ServiceRequest", ""),
    ("J8 sees the Task", "patient", "rs", "Task", ""),
    ("J8 an appointment is made", "hospital-consultant", "c", "Appointment", ""),
    ("J8 the third sector works on its own", "third-sector", "ru", "Task", "party"),
    ("J8 the output is a document", "hospital-consultant", "c", "Composition", ""),
    ("J8 the output is a result", "hospital-consultant", "c", "Observation", ""),
    ("J9.1 says something is wrong", "patient", "c", "Task", "question"),
    ("J9.1 so does the carer", "carer", "c", "Task", "question+grant"),
    ("J9.3 the custodian corrects", "gp", "u", "Condition", "clinical"),
    ("J9.3 the custodian corrects", "hospital-consultant", "u", "Observation", "mine"),
    ("J9.3 who did it is read", "patient", "rs", "Provenance", ""),
    ("J10.1 restricts", "patient", "c", "Consent", "access"),
    ("J10.2 asks for a conversation", "patient", "c", "Task", "question"),
    ("J10.5 takes it back", "patient", "u", "Consent", "access"),
    ("J10.4 the team knows of it", "nurse", "rs", "Consent", ""),
]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step[0]} ({step[1]} {step[3]})")
def test_a_step_is_permitted_and_as_narrow_as_it_says(step: tuple[str, ...]) -> None:
    _, role, letters, type, words = step

    for letter in letters:
        assert frozenset(words.split("+")) - {""} in narrowings(role, letter, type)


def test_j1_blocks_notes_for_the_receptionist() -> None:
    notes = {"Composition", "DocumentReference", "Binary", "Bundle", "Observation", "Condition",
             "ClinicalImpression", "DiagnosticReport", "Encounter", "CarePlan", "Communication",
             "QuestionnaireResponse", "MedicationRequest", "Flag", "Task"}  # fmt: skip

    assert not [(type, one) for type in notes for one in LETTERS if may("receptionist", one, type)]


def test_j2_blocks_the_problem_list_of_the_gp_for_the_consultant() -> None:
    assert narrowings("hospital-consultant", "u", "Condition") == (frozenset({"clinical", "mine"}),)
    assert may("hospital-consultant", "c", "Task")


def test_j3_blocks_medicines_for_the_social_worker() -> None:
    for type in FAMILY_OF["MedicationRequest"].types:
        assert not any(may("social-worker", letter, type) for letter in "cud")


def test_j3_blocks_health_that_social_work_does_not_need() -> None:
    readable = narrowings("social-worker", "r", "Condition")

    assert set(readable) == {frozenset({"key"}), frozenset({"need"})}
    for type in ("DiagnosticReport", "Procedure", "ClinicalImpression", "FamilyMemberHistory"):
        assert not may("social-worker", "r", type)
    assert frozenset() not in narrowings("social-worker", "r", "Observation")


@pytest.mark.parametrize("word", sorted(set(WORDS) - {"social-worker", "system"}))
def test_j3_needs_and_packages_are_written_by_social_work_alone(word: str) -> None:
    for type in ("Condition", "ServiceRequest"):
        for letter in "cu":
            assert all("clinical" in words for words in narrowings(word, letter, type))


def test_j4_blocks_goals_that_are_not_proposed_and_readings_that_are_not_ones_own() -> None:
    assert narrowings("patient", "c", "Goal") == (frozenset({"proposed"}),)
    assert narrowings("patient", "u", "Goal") == (frozenset({"own"}),)
    assert narrowings("patient", "u", "Observation") == (frozenset({"own", "error"}),)


def test_j5_blocks_consent_for_the_carer() -> None:
    assert not any(may("carer", letter, "Consent") for letter in LETTERS)


def test_j5_blocks_making_more_carers() -> None:
    assert not any(may("carer", letter, type) for letter in "cud"
                   for type in ("RelatedPerson", "Consent", "Patient", "CareTeam"))  # fmt: skip


def test_j5_blocks_the_access_log_unless_granted() -> None:
    assert all("grant" in words for words in narrowings("carer", "r", "AuditEvent"))


def test_j6_opens_safeguarding_with_a_live_encounter_only() -> None:
    assert set(narrowings("urgent-care", "r", "Flag")) == {
        frozenset({"unlocked"}),
        frozenset({"live"}),
    }
    assert not may("urgent-care", "c", "Flag")
    assert not may("urgent-care", "u", "Flag")


def test_j6_blocks_writing_of_what_is_only_looked_up_in_a_crisis() -> None:
    for type in ("CarePlan", "Goal", "Condition", "AllergyIntolerance", "MedicationRequest"):
        assert not any(may("urgent-care", letter, type) for letter in "cudh")


@pytest.mark.parametrize("word", ["analyst", "third-sector", "admin"])
def test_j7_leaves_nothing_to_break_the_glass_for(word: str) -> None:
    clinical = ("Observation", "MedicationRequest", "DiagnosticReport", "Composition", "Flag")

    assert not any(may(word, letter, type) for letter in LETTERS for type in clinical)


def test_j7_the_privacy_officer_closes_reviews_and_no_other_task() -> None:
    for letter in "rsu":
        assert narrowings("privacy-officer", letter, "Task") == (frozenset({"review"}),)


def test_j8_identifiable_detail_is_minimal_for_the_third_sector() -> None:
    assert narrowings("third-sector", "r", "Patient") == (frozenset({"minimal"}),)


def test_j8_the_third_sector_moves_its_own_tasks_only() -> None:
    assert narrowings("third-sector", "u", "Task") == (frozenset({"party"}),)
    assert not may("third-sector", "c", "Task")


@pytest.mark.parametrize("word", [word for word in WORDS if word not in ("admin", "system")])
def test_j9_blocks_deletion(word: str) -> None:
    assert not any(may(word, "d", type) for type in FAMILY_OF)


@pytest.mark.parametrize("word", ["patient", "carer"])
def test_j9_blocks_edits_of_what_is_disputed(word: str) -> None:
    for type in ("Condition", "AllergyIntolerance", "MedicationStatement", "DiagnosticReport"):
        assert not any(may(word, letter, type) for letter in "cud")


@pytest.mark.parametrize("word", ["receptionist", "analyst", "admin", "third-sector"])
def test_j9_blocks_correction_tasks_for_roles_outside_treatment(word: str) -> None:
    assert all("party" in words for words in narrowings(word, "u", "Task"))


def test_j10_choices_are_of_access_only_and_changed_by_patient_and_gp_alone() -> None:
    people = set(WORDS) - {"system"}
    changing = {word for word in people if may(word, "u", "Consent")}

    assert changing == {"patient", "gp"}
    for word in people:
        for letter in "cu":
            assert set(narrowings(word, letter, "Consent")) <= {frozenset({"access"})}


def test_j10_safeguarding_stays_open_to_social_work() -> None:
    for letter in "crus":
        assert narrowings("social-worker", letter, "Flag") == (frozenset(),)
