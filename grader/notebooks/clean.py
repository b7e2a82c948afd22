"""A student's markdown and outputs without anything that runs, loads or hides in a reader's browser."""

from __future__ import annotations

import re
from typing import Any

BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*")
MAX_TEXT = 200_000


def clean_markdown(text: str) -> str:
    """Markdown whose raw HTML, pictures from elsewhere and script links are mere text.

    A space after `<` and `&` keeps them from opening a tag or an entity; formulas and code read as before.
    """
    text = re.sub(r"data:[\w/+.-]*;base64,[A-Za-z0-9+/=]+", "picture left out", text)
    text = re.sub(r"([<&])(?=[A-Za-z/!?#])", r"\1 ", text)
    text = re.sub(r"!+(?=\[)", "", text)
    text = re.sub(r"\\(?=(href|require|style|class|cssId|unicode|includegraphics)\b)", r"\\ ", text)
    return re.sub(r"(?i)(script|data|file)(?=[\s\\]*:[^\s])", r"\1 ", text)


def clean_html(html: str) -> str:
    """HTML of a student's output: structure and text, pictures only where they are in it."""
    import nh3

    def attribute(tag: str, name: str, value: str) -> str | None:
        if name == "src":
            return value if PICTURE.fullmatch(value) else None
        return value

    attributes = {
        "*": {"title"},
        "img": {"src", "alt", "width", "height"},
        "a": {"href"},
        "td": {"colspan", "rowspan"},
        "th": {"colspan", "rowspan"},
    }
    return nh3.clean(
        html,
        tags=nh3.ALLOWED_TAGS - {"map", "area"},
        attributes=attributes,
        attribute_filter=attribute,
        url_schemes={"http", "https", "mailto", "data"},
    )


def clean_outputs(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Outputs of a student's cell, as nbformat has them, with only what is known to be harmless."""
    return [kept for output in outputs if (kept := _clean_output(output))]


def _clean_output(output: dict[str, Any]) -> dict[str, Any] | None:
    match output.get("output_type"):
        case "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            return {"output_type": "stream", "name": name, "text": _text(output.get("text"))}
        case "error":
            traceback = output.get("traceback")
            return {
                "output_type": "error",
                "ename": _text(output.get("ename")),
                "evalue": _text(output.get("evalue")),
                "traceback": [_text(line) for line in traceback[:200]] if isinstance(traceback, list) else [],
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
    text = "".join(map(str, value)) if isinstance(value, list) else str(value)
    match mime:
        case "image/png" | "image/jpeg":
            return text if BASE64.fullmatch(text) else ""
        case "text/html":
            return clean_html(_text(text))
        case "text/markdown" | "text/latex":
            return clean_markdown(_text(text))
        case "text/plain":
            return _text(text)
    return ""


def _text(value: Any) -> str:
    text = "".join(map(str, value)) if isinstance(value, list) else str(value or "")
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "\n... cut here ..."
