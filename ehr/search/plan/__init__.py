"""From a `SearchRequest` to the conditions of one SELECT, after the bounded steps it needs.

`plan.py` puts it together: `pins.py` finds whose record a search is about, `mentions.py` and
`identifiers.py` look up what it names, `conditions.py` takes each apart down to what `criterion.py`
turns into SQL, `compartment.py` keeps to a compartment. No join leaves the key: `chained.py` and
`reversed.py` take hops in `steps.py`, one statement each, `canonicals.py` goes by names.
"""
