"""The table for who neither treats nor is treated: front desk, privacy, figures, server, systems.

Written as that of `clinicians.py`.
"""

TABLE = """
Type             | receptionist | privacy-officer | analyst      | admin  | system    | other-staff
Patient          | crs          | rs:minimal      | -            | crus   | crush     | -
RelatedPerson    | -            | rs              | -            | -      | crush     | -
CareTeam         | -            | -               | -            | -      | rsh       | -
[Plan]           | -            | -               | -            | -      | crush     | -
[Clinical]       | -            | -               | -            | -      | crush     | -
[Medicines]      | -            | -               | -            | -      | crush     | -
[Diagnostics]    | -            | -               | -            | -      | crush     | -
[Devices]        | -            | -               | -            | -      | crush     | -
[Documents]      | -            | -               | -            | -      | crush     | -
Task             | -            | rsu:review      | -            | -      | crush     | -
[Requests]       | -            | -               | -            | -      | crush     | -
[Scheduling]     | crus         | -               | -            | -      | crush     | -
Schedule, Slot   | rs           | -               | -            | -      | crush     | -
[Safety]         | -            | -               | -            | -      | crush     | -
Consent          | -            | rs c:access     | -            | -      | rsh       | -
Provenance       | -            | rs              | -            | -      | crsh      | -
AuditEvent       | -            | rs              | -            | -      | c:foreign | -
MeasureReport    | -            | -               | rs:aggregate | -      | crush     | -
[Money]          | -            | -               | -            | -      | crush     | -
[Research]       | -            | -               | -            | -      | crush     | -
[Infrastructure] | -            | -               | -            | -      | crush     | -
[Directory]      | rs           | rs              | rs           | cruds  | crush     | rs
[Catalogue]      | rs           | rs              | rs           | rs     | crush     | rs
[Definitions]    | rs           | rs              | rs           | rs     | crush     | rs
[Terminology]    | rs           | rs              | rs           | rs     | crush     | rs
SearchParameter  | rs           | rs              | rs           | cruhds | rsh       | rs
[Conformance]    | rs           | rs              | rs           | rs     | crush     | rs
"""
