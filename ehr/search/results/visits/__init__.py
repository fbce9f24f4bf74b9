"""Pages of searches that very many rows pass, without a list of all that match.

`visit.py` tries, `questions.py` says what is asked of each row, `way.py` in which order they come,
`statement.py` puts it together.
"""
