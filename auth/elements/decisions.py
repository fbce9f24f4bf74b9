"""What the sources leave open about elements and moves, and what was decided. Data for the page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """One choice: what it is about, and what holds."""

    about: str
    holds: str


DECISIONS: tuple[Decision, ...] = (
    Decision("systems", "They pass on what others wrote, within their registration. Of what they "
        "change, only whose it is and the moves of its status are judged; they may tell of "
        "several moves at once, and make a resource in any state."),
    Decision("what is made", "Labels, authors, notes, elements that open a record and first states "
        "of Tasks are judged. The table of elements is for what stands already."),
    Decision("types that are not in the table", "Whoever may change a row by its role changes all "
        "of it, but whose it is, its authors, its labels and others' notes."),
    Decision("subject", "Moved to another person: refused for everybody, as no right would help. "
        "What names nobody by a literal reference may be filed once."),
    Decision("authors", "“Author” is who enters something. Who said, did, gave or told of it may "
        "be another. What was once said of an author stays; a correction is another resource."),
    Decision("contributor", "Provenance tells who changed a plan, so that people leave "
        "`CarePlan.contributor` alone."),
    Decision("notes", "An entry is its author's, by person, place or organisation. One that names "
        "nobody, or somebody in words only, is nobody's to edit. Part of a plan that has progress "
        "of others is not taken away."),
    Decision("clinical and social parts of a plan", "Home and respite care are social, by the "
        "codes of `care`; all else with a `detail` is clinical. What only refers tells nothing of "
        "its kind: the five roles add it; a social worker takes away what is social, or what is "
        "in a plan of the category `social-care` or of the own organisation."),
    Decision("nurse, care coordinator, named lead", "The element rules of the policy table have no "
        "nurse: as the hospital consultant. Coordinator and lead keep the whole plan together."),
    Decision("GP of a team", "Names anybody where the patient is registered with them; elsewhere "
        "those of the own organisation."),
    Decision("adding oneself", "To a team or an Encounter: let, and a claim. As "
        "`generalPractitioner`: refused, and a claim. A Task that one takes on and nobody else "
        "asked for: a claim. To come back, or to stay longer, is to add oneself; to leave is not."),
    Decision("letting others in", "Others are named in a ServiceRequest, Task, team or Consent by "
        "whoever has one of the first four relationships or a delegated one. Who claimed, broke "
        "the glass or was only asked is refused, and lets in themself by a team, an Encounter of "
        "their organisation or a Task alone, each with an alert: hours would become years else, "
        "and no label hold."),
    Decision("named lead", "Named, and taken out, by those who name anybody: the place gives "
        "rights, so that nobody else takes it."),
    Decision("patients and carers in a team", "Any staff who change teams name them: it opens "
        "nothing to them."),
    Decision("carer and demographics", "The care table won: a carer changes nothing of the "
        "Patient."),
    Decision("carer and plans", "Carers comment, as the care table says. They do not agree in the "
        "person's place, though the word `comment` would let them: staff record that."),
    Decision("sensitive Patient", "`meta.security` has R or V: `address` is changed by systems and "
        "administrators only."),
    Decision("Encounter", "Nobody reopens one, administrators neither: no role has that right. "
        "planned → in-progress is legal, for a call has no arrival. `serviceProvider` stays."),
    Decision("CarePlan", "Only active plans are completed or revoked, as the policy table says; a "
        "draft that came to nothing is entered in error."),
    Decision("Goal", "Patients end or pause their own, and say that they did it in a note or by "
        "`completed`; whether it was achieved is said by staff, and so is that it was accepted."),
    Decision("Task", "R4's `ready` stands between accepted and in-progress. Who makes one for "
        "themself may begin it. Reviews of broken glass are moved by privacy officers only. Notes "
        "may be added by all who may change the Task. Whether a new owner works at the same "
        "organisation is known here only of organisations."),
    Decision("Consent", "Staff record with evidence; of them the GP changes status, provision and "
        "evidence, the others nothing. Patients set one in force again."),
    Decision("labels", "“The authoring team” is staff of the organisation that wrote version 1. "
        "Patients set PRS and PATRPT on what they wrote, carers PATRPT. Codes that HL7 and the "
        "server do not know need the right to all. A release time is a label. Labels of the "
        "directory are administrators'."),
    Decision("final results", "That only the author's organisation says final is `u:mine` of the "
        "role table. What is tagged `patient-reported` is never final: 422."),
    Decision("answers", "403: another may. 409: nobody may, from this state. 422: nobody may at "
        "all, or something has to come with it."),
)  # fmt: skip
