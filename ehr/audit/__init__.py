"""Who did what with the record: safe before the answer leaves, sealed in one chain, told as FHIR.

trail.py      what callers use: `Trail.record`, `Trail.within`
telling/      requests, sign-ins and the like as events
event.py      the message they make, and its bytes
kinds.py      what can happen, as BALP codes it
strict.py     one COMMIT for all that wait        journal/   a file of the worker, moved later
sealing.py    the chain and its signatures        verifying.py   whether all of it still stands
finding.py    rows that are asked for
rendering.py  a row as AuditEvent (IHE BALP)      rows.py    rows in SQL
"""
