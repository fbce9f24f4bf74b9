"""Names that strangers bring and people read: one line that is what it looks like (Unicode TR36).

What calls itself something to people may not hide, turn round or break a line, and may not call
itself what this server is called (T7): a name is most of what somebody goes by who allows an app.
"""

import unicodedata

OWN_NAME = "Shared Care Record"
LONGEST = 80
# Controls, formats such as the turns of direction, halves of pairs, private use, nothing at all,
# and what breaks a line or paragraph.
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and signs that are drawn as nothing (Default_Ignorable_Code_Point, blank Braille).
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# Cyrillic and Greek letters, and digits, that are read as the Latin ones of our name.
_LOOKS_LIKE = str.maketrans(
    "\u0430\u0441\u0501\u0435\u04bb\u043e\u0433\u03b1\u03bf\u03f2\u0251\u04550354",
    "acdehoraocasoesa",
)


def fault(text: str, longest: int = LONGEST) -> str | None:
    """Say what is wrong with a text that people are shown on one line; None where nothing is."""
    shown = text.strip()
    if not shown or len(shown) > longest:
        return f"must have 1 to {longest} characters"
    if any(unicodedata.category(one) in _REFUSED or one in _UNSEEN for one in shown):
        return "has characters that can't be seen, or that change how others are read"
    if not any(one.isalnum() for one in shown):
        return "must have a letter or a digit"
    return None


def fault_of_name(text: str) -> str | None:
    """Say what is wrong with what somebody else calls itself, as `fault` does."""
    if _skeleton(OWN_NAME) in _skeleton(text):
        return "is like the name of this server"
    return fault(text)


def _skeleton(text: str) -> str:
    """Return letters and digits as they look, whatever their width, case, accents and gaps."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_LOOKS_LIKE)
    return "".join(one for one in unicodedata.normalize("NFKD", plain) if one.isalnum())
