"""From a plan to what the caller gets: a page, its order, what comes along, links, the Bundle.

R4 §3.1.1.2 and §3.1.1.5.9 (results). `page.py` runs the plan in the order of `sort.py`, `visits/`
where very many match; `walk.py` goes from page to page by the sealed cursors of `cursor.py`;
`include.py` follows references; `bundle.py` writes the searchset.
"""
