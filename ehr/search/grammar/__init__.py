"""The words of a search: from text to a `SearchRequest`, or to a refusal that says what would work.

R4 §3.1.1. `query.py` reads the whole; `conditions.py` what selects: chains and `_has`, down to the
tests of `criterion.py`; `controls.py` what shapes the answer, `include_paths.py` what comes along.
Asks no database.
"""
