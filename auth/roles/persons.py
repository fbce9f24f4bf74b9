"""The table for the patient, and for a carer as far as the patient's grant goes.

Written as that of `clinicians.py`. Rows are those of their own record; which, is the relationship's
matter.
"""

TABLE = """
Type                           | patient                           | carer
Patient                        | rsh u:contact                     | rs:grant
RelatedPerson                  | rs                                | r:self
CarePlan                       | rs u:comment                      | rs:grant u:comment+grant
CareTeam                       | rs                                | rs:grant
Goal                           | c:proposed rs u:own               | c:proposed+grant rs:grant
Encounter, EpisodeOfCare       | rs                                | rs:grant
Condition, AllergyIntolerance  | rs                                | rs:grant
[Medicines]                    | rs                                | rs:grant
Observation                    | c:reported rs:released u:own+error
                               | c:reported+grant rs:released+grant
DiagnosticReport, ImagingStudy | rs:released                       | rs:released+grant
Procedure, Immunization        | rs                                | rs:grant
Binary, DocumentReference      | c:own rs:released                 | c:own+grant rs:released+grant
Composition                    | c:about rs:released u:own+about
                               | c:about+grant rs:released+grant u:own+about+grant
QuestionnaireResponse          | c rs u:own+unfinished u:own+about
                               | c:grant rs:grant u:own+unfinished+grant u:own+about+grant
ServiceRequest                 | rs                                | rs:grant
Task                           | c:question rs u:party
                               | c:question+grant rs:grant u:party+grant
Communication                  | crs                               | crs:grant
Appointment                    | rs cu:party                       | rs:grant cu:party+grant
AppointmentResponse            | rs cu:party                       | rs:grant cu:party+grant
Flag                           | rs:plain+released rs:told         | -
RiskAssessment                 | rs:plain+released                 | -
Consent                        | rs cu:access                      | -
Provenance                     | rs                                | rs:grant
AuditEvent                     | rs:shown                          | rs:shown+grant
MeasureReport                  | -                                 | -
[Clinical]                     | rs:released                       | rs:released+grant
[Diagnostics]                  | rs:released                       | rs:released+grant
[Devices]                      | rs                                | rs:grant
[Documents]                    | rs:released                       | rs:released+grant
[Requests]                     | rs                                | rs:grant
[Scheduling]                   | rs                                | rs:grant
[Safety]                       | rs:told                           | -
[Money]                        | rs                                | -
[Research]                     | rs                                | -
[Infrastructure]               | -                                 | -
Practitioner, PractitionerRole | r                                 | r
[Directory]                    | rs                                | rs
Medication                     | rs                                | rs
MedicationKnowledge, Substance | rs                                | rs
[Catalogue]                    | -                                 | -
PlanDefinition, Questionnaire  | rs                                | rs
[Definitions]                  | -                                 | -
NamingSystem                   | -                                 | -
[Terminology]                  | rs                                | rs
[Conformance]                  | -                                 | -
"""
