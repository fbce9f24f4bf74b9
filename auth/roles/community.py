"""The table for who cares beside treatment: social work, third sector, coordination, the lead.

Written as that of `clinicians.py`. The column of the named lead is what the place adds to the role
that its holder signs in with.
"""

TABLE = """
Type                           | social-worker | third-sector     | care-coordinator | named-lead
Patient                        | rs u:contact  | rs:minimal       | rs u:contact     | -
RelatedPerson                  | crus          | -                | crus             | -
CarePlan, Goal                 | cruhs         | rs:area          | cruhs            | cruhs
CareTeam                       | crus          | rs:area          | cruhs            | cruhs
Encounter                      | rs            | -                | rs               | -
EpisodeOfCare                  | rs:outline    | -                | rs               | -
Condition                      | rs:key rs:need c:need u:need+mine | rs:need+area
                               | rs:key rs:need   | -
AllergyIntolerance             | rs            | -                | rs               | -
[Medicines]                    | -             | -                | rs               | -
Observation                    | rs:vital+measured rs:social rs:plan c:social u:social+own | -
                               | rs:vital         | -
DiagnosticReport, ImagingStudy | -             | -                | rs:conclusion    | -
Procedure                      | -             | -                | rs               | -
Immunization                   | rs            | -                | rs               | -
Binary                         | c rsh:social rsh:shared u:social+mine | -                | rs
                               | -
Composition, DocumentReference | c:social rsh:social rsh:shared u:social+mine | -
                               | rs               | -
QuestionnaireResponse          | crsh u:mine   | -                | crs u:mine       | -
ServiceRequest                 | crsh u:clinical u:care+mine | rs:party u:clinical+party
                               | rsh cu:clinical  | -
Task                           | cruhs         | rs:party u:party | cruhs            | cruhs
Communication                  | crs           | crs:party        | crs              | crs
Appointment                    | crus          | -                | crus             | -
AppointmentResponse            | crus          | -                | crus             | -
Flag                           | cruhs         | -                | rs:plain         | -
RiskAssessment                 | crsh          | -                | rs:plain         | -
Consent                        | rs c:access   | -                | rs c:access      | c:access
Provenance                     | rs c:auto     | -                | rs               | -
AuditEvent                     | rs:acts       | -                | -                | -
MeasureReport                  | rs:mine       | -                | -                | -
[Clinical]                     | -             | -                | -                | -
[Diagnostics]                  | -             | -                | -                | -
[Devices]                      | -             | -                | -                | -
[Documents]                    | -             | -                | rs               | -
[Requests]                     | -             | -                | -                | -
[Scheduling]                   | rs            | -                | rs               | -
[Safety]                       | -             | -                | -                | -
[Money]                        | -             | -                | -                | -
[Research]                     | -             | -                | -                | -
[Infrastructure]               | -             | -                | -                | -
[Directory]                    | rs            | rs               | rs               | -
[Catalogue]                    | rs            | rs               | rs               | -
[Definitions]                  | rs            | rs               | rs               | -
[Terminology]                  | rs            | rs               | rs               | -
[Conformance]                  | rs            | rs               | rs               | -
"""
