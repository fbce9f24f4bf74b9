"""What events of the trail can be searched by."""

TYPE = "AuditEvent"
PARAMETERS = (
    "_id", "_lastUpdated", "action", "agent", "date", "entity", "outcome", "patient", "source",
    "subtype", "type",
)  # fmt: skip
