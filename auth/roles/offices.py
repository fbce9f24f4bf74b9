"""The table for who neither treats nor is treated: front desk, privacy, figures, server, systems.

Written as that of `clinicians.py`.
"""

TABLE = """
Type             | receptionist | privacy-officer | analyst      | admin  | system           | other-staff
Patient          | crs          | rs:minimal      | -            | crus   | crudsh           | -
RelatedPerson    | -            | rs              | -            | -      | crudsh           | -
CareTeam         | -            | -               | -            | -      | crudsh           | -
[Plan]           | -            | -               | -            | -      | crudsh           | -
[Clinical]       | -            | -               | -            | -      | crudsh           | -
[Medicines]      | -            | -               | -            | -      | crudsh           | -
[Diagnostics]    | -            | -               | -            | -      | crudsh           | -
[Devices]        | -            | -               | -            | -      | crudsh           | -
[Documents]      | -            | -               | -            | -      | crudsh           | -
Task             | -            | rsu:review      | -            | -      | crudsh           | -
[Requests]       | -            | -               | -            | -      | crudsh           | -
[Scheduling]     | crus         | -               | -            | -      | crudsh           | -
Schedule, Slot   | rs           | -               | -            | -      | crudsh           | -
[Safety]         | -            | -               | -            | -      | crudsh           | -
Consent          | -            | rs c:access     | -            | -      | crudsh           | -
Provenance       | -            | rs              | -            | -      | crudsh           | -
AuditEvent       | -            | rs              | -            | -      | c:foreign rs:own | -
MeasureReport    | -            | -               | rs:aggregate | -      | crudsh           | -
[Money]          | -            | -               | -            | -      | crudsh           | -
[Research]       | -            | -               | -            | -      | crudsh           | -
[Infrastructure] | -            | -               | -            | -      | crudsh           | -
[Directory]      | rs           | rs              | rs           | cruds  | crudsh           | rs
[Catalogue]      | rs           | rs              | rs           | rs     | crudsh           | rs
[Definitions]    | rs           | rs              | rs           | rs     | crudsh           | rs
[Terminology]    | rs           | rs              | rs           | rs     | crudsh           | rs
SearchParameter  | rs           | rs              | rs           | cruhds | rsh              | rs
[Conformance]    | rs           | rs              | rs           | rs     | crudsh           | rs
"""  # noqa: E501 - a table reads by its columns
