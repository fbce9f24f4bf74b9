"""What the text of a value means: dates as intervals, folded text, tokens, targets of references.

Both halves of a search read values here, so that what is written and what is asked agree. Knows
FHIR's data types and how a request writes them (`escapes.py`); no index, no SQL.
"""
