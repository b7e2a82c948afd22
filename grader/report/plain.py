"""A student's words as text that a terminal, a page and a reader can bear."""

from __future__ import annotations

import re
import unicodedata

COLOUR = r"\x1b\[[0-9;]{0,30}m"
ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, and what moves or clears
    r"|\x1b[\]PX^_][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)?"  # links, titles, the clipboard
    r"|\x1b[ -/]*[0-~]"
)
KEPT = {"\n", "\t", "\N{ZERO WIDTH JOINER}", "\N{ZERO WIDTH NON-JOINER}"}
MARKS = 4  # on one letter; no script needs more


def plain(text: str, most: int = 200_000, *, colours: bool = False) -> str:
    """Text without escape sequences, control and direction characters or piled-up marks, of a bearable length.

    Args:
        text: any text.
        most: how many characters are kept.
        colours: keep the escape sequences that set a colour, as tracebacks have.
    """
    cut = len(text) > most
    text = text[:most]
    pieces = re.split(f"({COLOUR})", text) if colours else [text]
    pieces[::2] = [_visible(ESCAPE.sub("", piece)) for piece in pieces[::2]]
    return "".join(pieces) + ("\n... cut here ..." if cut else "")


def one_line(text: str, most: int = 500) -> str:
    """Such text in one line."""
    return " ".join(plain(text, most).split())


UNFIT = 'with *, ?, [, <, >, ", & or control characters in it, or of more than 128 characters'


def fit_for_a_name(text: str) -> bool:
    """Whether a folder's name can stand in a path pattern, a page, a terminal and a gradebook as it is."""
    return len(text) <= 128 and not re.search(r'[*?\[<>"&]', text) and one_line(text) == text


def _visible(text: str) -> str:
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    kept, marks = [], 0
    for letter in text:
        category = unicodedata.category(letter)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if letter not in KEPT and category in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            letter = "\N{REPLACEMENT CHARACTER}"
        if marks <= MARKS:
            kept.append(letter)
    return "".join(kept)
