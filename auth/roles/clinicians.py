"""The table for who treats: GP, hospital consultant, nurse or allied professional, urgent care.

Rows are types, or a family in brackets for those of its types that have no row. Cells are letters
(`crudsh`: create, read, update, delete, search, history) with narrowings after `:`; words joined by
`+` hold together, rights beside each other are alternatives. `-` is nothing. A row goes on in lines
that are indented.
"""

TABLE = """
Type                     | gp              | hospital-consultant | nurse           | urgent-care
Patient                  | rsh u:contact   | rsh u:contact       | rs              | rs
RelatedPerson            | crus            | rs                  | rs              | rs
CarePlan, CareTeam, Goal | cruhs           | cruhs               | cruhs           | rs
Encounter                | rsh cu:mine     | rsh cu:mine         | rsh cu:mine     | rs cu:mine
EpisodeOfCare            | rsh cu:mine     | rsh cu:mine         | rsh cu:mine     | rs
Condition                | rsh cu:clinical | rsh c:clinical u:clinical+mine
                         | rsh c:clinical u:clinical+mine | rs
AllergyIntolerance       | cruhs           | cruhs               | cruhs           | rs
[Medicines]              | cruhs           | cruhs               | cruhs           | rs
Observation              | crsh u:mine     | crsh u:mine         | crsh u:mine     | rs
DiagnosticReport         | crs             | crsh u:mine         | crsh u:mine     | rs
ImagingStudy             | crs             | crsh u:mine         | crsh u:mine     | rs
Procedure, Immunization  | cruhs           | cruhs               | cruhs           | rs
Binary, Composition      | crsh u:mine     | crsh u:mine         | crsh u:mine     | rs
DocumentReference        | crsh u:mine     | crsh u:mine         | crsh u:mine     | rs
QuestionnaireResponse    | crsh u:mine     | crsh u:mine         | crsh u:mine     | rs
ClinicalImpression, List | crsh u:mine     | crsh u:mine         | crsh u:mine     | -
ServiceRequest           | rsh cu:clinical | rsh cu:clinical     | rsh cu:clinical | rs cu:clinical
Task                     | cruhs           | cruhs               | cruhs           | crus
Communication            | crs             | crs                 | crs             | crs
Appointment              | crus            | crus                | crus            | rs
AppointmentResponse      | crus            | crus                | crus            | rs
Flag                     | rsh cu:unlocked | rsh cu:unlocked     | rsh cu:unlocked
                         | rs:unlocked rs:live
RiskAssessment           | crsh            | crsh                | crsh            | rs
Consent                  | rsh cu:access   | rs c:access         | rs              | rs
Provenance               | rs c:auto       | rs c:auto           | rs c:auto       | rs
AuditEvent               | rs:acts         | rs:acts             | rs:acts         | rs:acts
MeasureReport            | rs:mine         | rs:mine             | rs:mine         | rs:mine
[Clinical]               | rs              | rs                  | rs              | -
[Diagnostics]            | rs              | rs                  | rs              | -
[Devices]                | rs              | rs                  | rs              | -
[Documents]              | rs              | rs                  | rs              | rs
[Requests]               | rs              | rs                  | rs              | -
[Scheduling]             | rs              | rs                  | rs              | rs
[Safety]                 | rs              | rs                  | rs              | -
[Money]                  | -               | -                   | -               | -
[Research]               | -               | -                   | -               | -
[Infrastructure]         | -               | -                   | -               | -
[Directory]              | rs              | rs                  | rs              | rs
[Catalogue]              | rs              | rs                  | rs              | rs
[Definitions]            | rs              | rs                  | rs              | rs
[Terminology]            | rs              | rs                  | rs              | rs
[Conformance]            | rs              | rs                  | rs              | rs
"""
