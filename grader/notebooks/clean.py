"""A student's markdown and outputs without anything that runs, loads or hides in a reader's browser."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import nh3
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from grader.report.plain import plain

BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*")
NUMBER = re.compile(r"[0-9]{1,4}%?")
MAX_MARKDOWN = 50_000
MAX_LINES = 1000
MAX_DEPTH = 100

# HTML that nests without end or leaves its tags open, and openers without closers, cost nbconvert minutes.
TAG = re.compile(r"<(/?)([A-Za-z][^\s/>]*)")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
OPENER = re.compile(r"\[|\\\\\(|\\begin\{|\$\$")
MAX_OPENERS = 500

# What can be more than words and formulas to one reader of markdown or another.
MARKUP = re.compile(r"<[A-Za-z/!?]|&[A-Za-z#]|\]|mermaid", re.IGNORECASE)
MACROS = re.compile(
    r"\\(?=(?:href|url|require|class|cssId|style|data|html[A-Z]\w*|mmlToken|bbox|unicode|includegraphics"
    r"|mathtip|texttip|toggle)(?![A-Za-z]))"
)
ATTRIBUTES = {
    "*": {"title"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "table": {"border"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}


def clean_markdown(text: str) -> str:
    """Markdown that holds words, formulas, code, links and its own pictures, whichever program shows it.

    Plain markdown stays as it is. Markdown with HTML, links or pictures comes back as its cleaned HTML, in one line,
    so that nobody reads markdown in it anew.
    """
    text = _harmless_formulas(plain(re.sub(r"data:[\w/+.-]*;base64,[\w+/=]+", "picture", text), MAX_MARKDOWN))
    if len(OPENER.findall(text)) > MAX_OPENERS:
        html = _as_text(text).replace("[", "&#91;")
    else:
        try:
            rendered = MarkdownWithMath(renderer=_Renderer(escape=False, exclude_anchor_links=True)).render(
                text
            )
        except Exception:  # nbconvert's reader has its gaps, and would fail again when the page is made
            html = _as_text(text)
        else:
            if not MARKUP.search(text):
                return text
            html = clean_html(rendered)
    return f"<div>{html}</div>".replace("\n", "&#10;")


class _Renderer(IPythonRenderer):
    """nbconvert's own reading of markdown, in which a picture from elsewhere is a link."""

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return self.link(text or url, url, title)


def clean_html(html: str) -> str:
    """HTML of a student's output: structure and text, pictures only where they are in it."""
    if not _is_kempt(html):
        return _as_text(html)
    return _harmless_formulas(
        nh3.clean(
            html,
            tags=nh3.ALLOWED_TAGS - {"map", "area", "wbr"},
            attributes=ATTRIBUTES,
            attribute_filter=_attribute,
            url_schemes={"http", "https", "mailto", "data"},
        )
    )


def _is_kempt(html: str) -> bool:
    """Whether tags nest no deeper than a page needs, and nearly all are closed where they should be."""
    open_tags: list[str] = []
    astray = 0
    for closing, name in TAG.findall(html.lower()):
        if not closing:
            open_tags += [name] if name not in VOID else []
        elif name in open_tags:
            while open_tags.pop() != name:
                astray += 1
        else:
            astray += 1
        if len(open_tags) > MAX_DEPTH or astray > MAX_DEPTH:
            return False
    return True


def _as_text(text: str) -> str:
    return f"<pre>{_harmless_formulas(escape(text))}</pre>"


def _attribute(tag: str, name: str, value: str) -> str | None:
    match name:
        case "src":
            return value if PICTURE.fullmatch(value) else None
        case "href":
            return value if re.match(r"(https?://|mailto:)", value, re.IGNORECASE) else None
        case "width" | "height" | "border" | "colspan" | "rowspan":
            return value if NUMBER.fullmatch(value) else None
    return value


def clean_latex(text: str) -> str:
    """A formula whose `<` and `&` open no tag or entity."""
    return re.sub(r"([<&])(?=[A-Za-z/!?#])", r"\1 ", _harmless_formulas(plain(text)))


def _harmless_formulas(text: str) -> str:
    """Text in which MathJax finds no links, styles or pictures: a space parts the backslash from such a macro."""
    return MACROS.sub(r"\\ ", text)


def clean_outputs(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Outputs of a student's cell, as nbformat has them, with only what is known to be harmless."""
    return [kept for output in outputs if (kept := _clean_output(output))]


def _clean_output(output: dict[str, Any]) -> dict[str, Any] | None:
    match output.get("output_type"):
        case "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            return {"output_type": "stream", "name": name, "text": _printed(output.get("text"))}
        case "error":
            traceback = output.get("traceback")
            return {
                "output_type": "error",
                "ename": plain(_text(output.get("ename")), 200),
                "evalue": plain(_text(output.get("evalue")), 2000),
                "traceback": [_printed(line) for line in traceback[:200]]
                if isinstance(traceback, list)
                else [],
            }
        case "display_data" | "execute_result" as kind:
            data = output.get("data")
            data = (
                {mime: kept for mime, value in data.items() if (kept := _clean_data(mime, value))}
                if isinstance(data, dict)
                else {}
            )
            if data:
                count = {"execution_count": None} if kind == "execute_result" else {}
                return {"output_type": kind, "data": data, "metadata": {}, **count}
    return None


def _clean_data(mime: str, value: Any) -> str:
    text = _text(value)
    match mime:
        case "image/png" | "image/jpeg":
            return text if BASE64.fullmatch(text) else ""
        case "text/html":
            return clean_html(plain(text))
        case "text/markdown":
            return clean_markdown(text)
        case "text/latex":
            return clean_latex(text)
        case "text/plain":
            return _printed(text)
    return ""


def _printed(value: Any) -> str:
    """Printed text as a terminal leaves it: in colour, and of a line that was written over and over, the last."""
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in _text(value).split("\n")]
    if len(lines) > MAX_LINES:
        lines[MAX_LINES:] = [f"... {len(lines) - MAX_LINES} more lines ..."]
    return plain("\n".join(lines), colours=True)


def _text(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")
