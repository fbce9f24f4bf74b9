"""One file for each endpoint and page of `auth`; their docstrings name the standard."""
