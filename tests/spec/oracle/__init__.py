"""A second opinion on search: R4 search over resources in memory, plain and slow.

FHIR R4 §3.1.1 (search.html), sentence by sentence. It shares no code with the record's search: of
ours it reads the definitions of search parameters and compartments, nothing else. FHIRPath is that
of `fhirpathpy`; dates, numbers, texts, tokens and references are compared here anew.

    Oracle(resources).search("Observation?code=8867-4&_sort=-date")

What R4 leaves to a server is decided in one place each, marked `R4 leaves this open`.

elements.py     FHIRPath on resources: the elements that a parameter selects, with their types
dates.py        spans of time                   amounts.py      numbers and quantities
units.py        UCUM units                      texts.py        strings, uris, escapes
places.py       how far away
tokens.py       codes, identifiers              references.py   what a reference names
concepts.py     value sets and hierarchies      filters.py      `_filter`
definitions.py  which parameters there are      population.py   the resources, and what leads where
conditions.py   what one parameter asks         results.py      order, and what comes along
search.py       a whole request
"""
