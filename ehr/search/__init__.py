"""Search: text to `SearchRequest` to plan to SELECT to Bundle (R4 §3.1.1).

Each line may lean on those below it, never on those above:

- `explain/` how a search is answered
- `answer.py` a search, `criteria.py` a condition, `everything/`, `labels_in_use.py`: what is asked
- `results/` pages, order, includes, links and the Bundle
- `plan/` conditions as SQL, after the look-ups and hops they need
- `grammar/` text understood or refused
- `indexer.py` the index rows of a resource
- `parameters/` one file for each parameter type: what it indexes, how it matches
- `asking.py` who asks, `request.py` a search as data, `matching.py` what clauses are made of
- `values/` what the text of a value means
"""
