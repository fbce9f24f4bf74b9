"""Search parameters: one file for each type, what is indexed and what matches side by side.

`sink()` adds the index rows of a value; `choices()` says which rows a request finds, and `clause()`
does where a type asks for more than one such row (R4 search.html §3.1.1.5). `sinks.py` and
`clauses.py` hand over to a type's file, or to its two (`reference_rows.py` and `reference.py`);
`supported.py` says which parameters there are. A new type is a new file, and a line in both.
"""
