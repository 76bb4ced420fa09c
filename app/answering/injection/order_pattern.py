"""How patterns for orders are compiled: none may look far, whatever strangers write. Pure."""

from __future__ import annotations

import re

# The longest word that a pattern steps over, and the most white space; the detector joins white space before it looks.
_LONGEST_WORD, _MOST_SPACE, _MOST_OF_A_CLASS = 40, 4, 12
_UNBOUNDED = re.compile(r"(?<!\\)(\\[sSw]|\])([*+])")


def order_pattern(pattern: str) -> re.Pattern[str]:
    r"""The pattern, compiled, with a bound on each `*` and `+` after `\s`, `\w`, `\S` and a class; case counts for
    nothing.

    Without a bound, a pattern that begins with `\n\s*` reads to the end of the blank lines at each of them: twenty
    thousand in a post took a minute.

    >>> order_pattern(r"say\s+\w*").pattern
    'say\\s{1,4}\\w{0,40}'
    """

    def bounded(found: re.Match[str]) -> str:
        most = {r"\s": _MOST_SPACE, "]": _MOST_OF_A_CLASS}.get(found.group(1), _LONGEST_WORD)
        return f"{found.group(1)}{{{0 if found.group(2) == '*' else 1},{most}}}"

    return re.compile(_UNBOUNDED.sub(bounded, pattern), re.IGNORECASE)
