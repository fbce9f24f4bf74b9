"""The names of values in statements that say who asks: see `ehr/store/templates.py`, `CALLERS`."""

# Keys of the patient in context and of the caller's own, and the id of who the caller is.
CONTEXT_KEY, OWN_KEYS, SELF_ID = "caller_context", "caller_own", "caller_self"
# Who enters rows as this caller, the organisation signed in at, and what for (v3-ActReason).
AUTHOR, ORGANISATION, PURPOSE = "caller_author", "caller_organisation", "caller_purpose"
# How resources mean the caller: hashes of names, and rows of the directory; of the organisation
# alone, the hash and the row.
GRANTEES, RIDS = "caller_grantees", "caller_rids"
PLACE_NAME, PLACE = "caller_place_name", "caller_place"
# The moment of asking, in ms since 1970.
NOW = "caller_now"
