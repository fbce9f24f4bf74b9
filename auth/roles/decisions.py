"""Where what the table was made from differs or is silent, what won, and why.

It was made from four sources, the first of which wins: the issue that asked for it, the steps and
blocks of the care *journeys*, the *care table* (who may do what in care, with the letters C R U),
and the *policy table* (letters of SMART scopes for nine roles).
"""

from dataclasses import dataclass

ISSUE, JOURNEY, CARE, POLICY, OURS = "issue", "journey", "care table", "policy table", "ours"


@dataclass(frozen=True, slots=True)
class Decision:
    """One difference: what it is about, who won, and why."""

    about: str
    differ: str
    won: str
    why: str


DECISIONS: tuple[Decision, ...] = (
    Decision(
        "letters", "The care table has no letters for search and history.", POLICY,
        "R of the care table is `rs`; `h` is there where the policy table has it for the role.",
    ),
    Decision(
        "“own” beside reading", "`cruhs*` would let a consultant read own results only.", CARE,
        "“Own”, “own organisation” and `*` narrow create and update; who may read is the "
        "relationship's matter, as urgent care reads where a person was last seen (J6).",
    ),
    Decision(
        "`*`: own author", "Footnote: one's own. Element rules: the author's organisation.", POLICY,
        "`mine` for staff, for a colleague on the ward must be able to correct a result of one "
        "who is away; `own` for patients and carers.",
    ),
    Decision(
        "nurse", "The policy table has no such role.", CARE,
        "Where the care table has no line, a nurse has what the consultant has: in nearly every "
        "line that there is they are alike.",
    ),
    Decision(
        "urgent care", "The policy table has no such role.", CARE,
        "Where the care table has no line but the policy table has one for consultants, urgent "
        "care reads and writes nothing: it has their relationship, by encounter.",
    ),
    Decision(
        "third sector", "The policy table has no such role.", CARE,
        "Where the care table has no line, nothing.",
    ),
    Decision(
        "care coordinator", "The care table has no such role.", POLICY,
        "The policy table's letters, without those that the care table gives to no staff at all in "
        "that line (update of Communication, packages of others).",
    ),
    Decision(
        "Patient", "Carer: R against `ru`; nurse R; patient without search.", CARE,
        "The carer changes nothing of the person; the nurse reads; the patient's R is `rs`.",
    ),
    Decision(
        "CareTeam", "Social worker: CRU against `rsu`; patient proposes.", CARE,
        "Social workers make teams, without history. A patient proposes by Goal and by Task.",
    ),
    Decision(
        "CarePlan and Goal, social worker", "CRU against “social”.", CARE,
        "The whole plan; which activities are theirs is an element rule.",
    ),
    Decision(
        "Goal", "Patient: CRU own against `rs u`; carer: C against `u` if granted.", CARE,
        "Patients create and change their own, carers create. “Own” narrows changes only: "
        "everything is read by default.",
    ),
    Decision(
        "CarePlan, patient and carer", "Propose, comment, agree against `u`.", CARE,
        "`u` narrowed to comments and agreement.",
    ),
    Decision(
        "Encounter, GP", "R and C own against `cruhs` own organisation.", CARE,
        "GPs create encounters of their practice and end them (policy table): what somebody has "
        "opened, they must be able to close.",
    ),
    Decision(
        "Encounter, social worker", "R against type, dates and place.", CARE,
        "All of an Encounter; the outline stays for EpisodeOfCare, which only the policy table "
        "names.",
    ),
    Decision(
        "Condition, consultant and nurse", "CRU; the consultant edits no problem of the GP's.",
        JOURNEY, "J2: updates are narrowed to those of the own organisation.",
    ),
    Decision(
        "Condition `need` and packages", "R for all but the social worker against `cruhs`.", CARE,
        "The line on packages and needs is the closer one: others write `clinical` ones only, the "
        "social worker changes those of the own organisation.",
    ),
    Decision(
        "Condition, social worker", "Create is missing from the line on conditions.", ISSUE,
        "Creates those of category `need`; reads allergies, key problems and needs.",
    ),
    Decision(
        "medicines, social worker", "R of allergy and key problems only against current list.",
        CARE, "Nothing: medicines are not in what the line leaves them.",
    ),
    Decision(
        "MedicationStatement, patient and carer", "R and ask for correction against create.", CARE,
        "Not created by them: a correction is asked for by a Task.",
    ),
    Decision(
        "Observation, social worker", "Home readings if in the plan against vital signs.", CARE,
        "Vital signs that staff measured, social ones, and whatever a plan names; creates social "
        "ones (issue), and puts right what they wrote themselves.",
    ),
    Decision(
        "Observation, patient", "Mark as error against update of one's own.", CARE,
        "`u` narrowed to marking one's own as entered in error; carers create only.",
    ),
    Decision(
        "Communication", "CR against `crus`; own threads for patients.", CARE,
        "Nobody changes what was said. Patients read all that is in their record; the third "
        "sector its own only.",
    ),
    Decision(
        "Task, patient and carer", "CR questions, corrections, own actions against `rs`.", CARE,
        "They create these kinds, and change Tasks that they own or asked for.",
    ),
    Decision(
        "Task, privacy officer", "No clinical content; but gets and closes reviews.", JOURNEY,
        "J7: Tasks that review a break-glass, and no others.",
    ),
    Decision(
        "Flag", "V flags: R for all but the social worker, against `cruhs`.", CARE,
        "Others write flags without V. Patients see a flag above N once a release time was set "
        "and has passed; carers none.",
    ),
    Decision(
        "Flag, urgent care", "R of V flags.", ISSUE,
        "Only with a live encounter, never by break-glass.",
    ),
    Decision(
        "RiskAssessment", "CR against `cruhs`; patient: R in plain words against nothing.", CARE,
        "No updates. Patients read those without a label above N; plain words are the page's.",
    ),
    Decision(
        "About Me", "Own documents, forms until completed.", ISSUE,
        "Patient, and carer by grant, create and change a Composition or QuestionnaireResponse of "
        "that kind.",
    ),
    Decision(
        "Consent", "“Record for the patient” against `cruhs` and `crs`.", POLICY,
        "To record is to create, and for the GP to change, those of `access`. J5: the privacy "
        "officer and the named lead record a legal basis. A carer never has any right.",
    ),
    Decision(
        "AuditEvent", "Own acts for staff against nothing; systems nothing.", CARE,
        "Own acts only; the privacy officer all. Systems create those of their own (issue) and "
        "read these again; nobody changes one.",
    ),
    Decision(
        "receptionist", "No source has letters for the front desk.", OURS,
        "J1 shuts notes. Registers patients (the right to register is theirs) and books; "
        "nothing else.",
    ),
    Decision(
        "named lead", "A place in the team, without letters.", OURS,
        "Adds what the lead does in the journeys: keep plan, team, goals and Tasks, answer, and "
        "record a legal basis (J4, J5, J7).",
    ),
    Decision(
        "system", "`crus` without history, `rs` of CareTeam and Consent, nothing deleted.", OURS,
        "What a system does is bounded by the scopes of its registration, type by type. Records "
        "that move in bring teams and consents; a source that takes back what it sent deletes it, "
        "and every version stays. Of AuditEvents it adds its own, and reads those.",
    ),
    Decision(
        "delete", "Only the administrator has `d`.", POLICY,
        "No person but the administrator deletes, of the directory and SearchParameters, which "
        "belong to the server. Clinical data is entered in error instead.",
    ),
    Decision(
        "ClinicalImpression and List", "No line in either table.", JOURNEY,
        "J11: a team meeting writes its agenda and what it decided.",
    ),
    Decision(
        "Task, staff", "CRU; only owner or requester move a Task on.", CARE,
        "`u` for staff; who may make which move is a rule of transitions (J9).",
    ),
    Decision(
        "directory, patient and carer", "The care table has no line.", POLICY,
        "Who treats them, by the id that their record names, not by search: nobody browses staff. "
        "Organisations, places, services, medicines, forms and codes as scopes give them; they "
        "are public.",
    ),
    Decision(
        "a doctor, pharmacist, therapist or midwife", "Words that invitations give, no rows.", OURS,
        "A doctor who is not said to be a GP has the consultant's row, the others the nurse's.",
    ),
    Decision(
        "types that nothing names", "No line in either table.", OURS,
        "Denied to people, but for what the family's line says.",
    ),
)  # fmt: skip
