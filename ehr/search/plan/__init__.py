"""From a `SearchRequest` to the conditions of one SELECT, after the bounded steps it needs.

`plan.py` puts it together: `pins.py` finds whose record a search is about, `mentions.py` and
`identifiers.py` look up what it names, `conditions.py` follows chains and `_has` down to what
`criterion.py` turns into SQL, `compartment.py` keeps to a compartment. No join leaves the key; a
hop that does is a step of its own.
"""
