"""Passwords that are tried first: common ones, also with digits after them, repeats and runs.

`common_passwords.txt` has the commonest words of leaked passwords and the commonest long passwords,
taken from the lists of zxcvbn (MIT licence, Copyright 2012-2016 Dan Wheeler and Dropbox, Inc.).
"""

import re
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("common_passwords.txt")
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiopasdfghjklzxcvbnm")
_MOST_REPEATED = 4
_LEET = str.maketrans("0134578@$!", "oieastbasi")


def is_common(password: str) -> bool:
    """Tell whether a password, folded, is one that is tried before all others."""
    words = _words()
    letters = re.sub(r"[^a-z]", "", password)
    disguised = re.sub(r"[^a-z]+$", "", password).translate(_LEET)
    cores = {password, letters, re.sub(r"[^a-z]", "", disguised)}
    return _is_repeat(password) or _is_run(password) or any(_once(one) in words for one in cores)


def _once(text: str) -> str:
    """Return the part that a text consists of: `passwordpassword` of `password`."""
    found = re.fullmatch(r"(.+?)\1*", text)
    return found[1] if found else text


def _is_repeat(text: str) -> bool:
    return len(set(text)) <= _MOST_REPEATED or len(_once(text)) <= _MOST_REPEATED


def _is_run(text: str) -> bool:
    return any(text in run * 2 or text in run[::-1] * 2 for run in _RUNS)


@cache
def _words() -> frozenset[str]:
    return frozenset(_FILE.read_text("utf-8").split())
