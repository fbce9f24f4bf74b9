"""What `$everything` reads: the whole record of one patient, or what stands round one encounter.

R4 operation-patient-everything. `scope.py` says which rows belong, `rows.py` reads them in steady
order, `walk.py` goes from page to page, `attachments.py` finds Binaries that only a url names.
"""
