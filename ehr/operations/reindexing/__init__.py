"""`$reindex`: index rows made again by the definitions in force, beside a record in use.

`asked.py` what is to be done, `begin.py` what becomes of definitions, `sweep.py` row after row,
`proof.py` the counts, `job.py` all of it in order.
"""
