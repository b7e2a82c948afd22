"""Broken: every way a notebook file can be malformed. Either a named error and no marks, or graded as if nothing were."""

import gzip
import io
import json
import os
import socket
import zipfile
from pathlib import Path

from tests.abuse import ASSIGNMENT, Kind, Notebook, code, notebook, raw

broken = Kind("broken")

NO_NOTEBOOK = "cannot be read|not a notebook|no cells|too many values"
MEBIBYTE = 2**20

# Files that are no notebooks

for name, content, error in [
    ("empty", b"", "empty"),
    ("blank", b" \n\n", "empty"),
    ("only_a_byte_order_mark", b"\xef\xbb\xbf", "empty|cannot be read"),
    ("python", b"def sigmoid(x): return x", NO_NOTEBOOK),
    ("html", b"<!doctype html><html></html>", NO_NOTEBOOK),
    ("list", b"[]", NO_NOTEBOOK),
    ("number", b"3", NO_NOTEBOOK),
    ("null", b"null", NO_NOTEBOOK),
    ("text", b'"abc"', NO_NOTEBOOK),
    ("not_a_number", b"NaN", NO_NOTEBOOK),
    ("no_list_of_cells", b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', NO_NOTEBOOK),
    ("null_cells", b'{"nbformat": 4, "cells": null}', NO_NOTEBOOK),
    ("no_cells", b'{"nbformat": 4, "cells": []}', NO_NOTEBOOK),
    ("cells_as_text", b'{"nbformat": 4, "cells": "abc"}', NO_NOTEBOOK),
    ("cells_as_dictionary", b'{"nbformat": 4, "cells": {"0": {}}}', NO_NOTEBOOK),
    ("noise", bytes(range(256)) * 20, NO_NOTEBOOK),
    ("zeros", bytes(10**6), NO_NOTEBOOK),
    ("invalid_utf8", b'{"nbformat": 4, "cells": [{"source": "\xff\xfe\xfa"}]}', NO_NOTEBOOK),
    ("deep_list", b"[" * 10**6 + b"]" * 10**6, NO_NOTEBOOK),
    ("many_brackets", b'{"cells":[' + b"[]," * (2 * 10**7) + b"[]]}", NO_NOTEBOOK),
    ("many_empty_cells", b'{"cells":[' + b"{}," * 10**7 + b"{}]}", NO_NOTEBOOK),
    ("git_conflict", b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> theirs\n", NO_NOTEBOOK),
    ("git_lfs_pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", NO_NOTEBOOK),
    ("cloud_shortcut", b'{"url": "https://example.com/open?id=1", "doc_id": "1"}', NO_NOTEBOOK),
]:  # fmt: skip
    broken(name, "Hands in something that is no notebook.", raw=content, error=error)


@broken.made(error=NO_NOTEBOOK)
def truncated(notebook: Notebook) -> bytes:
    """Breaks off in the middle."""
    return raw(notebook)[: len(raw(notebook)) // 2]


@broken.made(error=NO_NOTEBOOK)
def last_bracket_missing(notebook: Notebook) -> bytes:
    """Breaks off before the last bracket."""
    return raw(notebook)[:-1]


@broken.made(error=NO_NOTEBOOK)
def two_notebooks_in_one_file(notebook: Notebook) -> bytes:
    """Is a notebook after another."""
    return raw(notebook) * 2


@broken.made(error=NO_NOTEBOOK)
def zipped(notebook: Notebook) -> bytes:
    """Is a zip archive with the notebook in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("activations.ipynb", raw(notebook))
    return file.getvalue()


@broken.made(error=NO_NOTEBOOK)
def gzipped(notebook: Notebook) -> bytes:
    """Is compressed."""
    return gzip.compress(raw(notebook))


@broken.made(error=NO_NOTEBOOK)
def control_characters(notebook: Notebook) -> bytes:
    """Holds line ends and NUL inside its strings, as no JSON may."""
    return raw(notebook).replace(b"\\n", b"\n\x00")


@broken.made(error=NO_NOTEBOOK)
def deep_metadata(notebook: Notebook) -> bytes:
    """Holds metadata 50,000 levels deep."""
    return with_member(notebook, b'{"a":' * 50_000 + b"1" + b"}" * 50_000)


@broken.made(error=NO_NOTEBOOK)
def huge_integer(notebook: Notebook) -> bytes:
    """Holds a number of 100,000 digits."""
    return with_member(notebook, b"9" * 10**5)


@broken.made(error="cells, at most")
def many_cells(notebook: Notebook) -> Notebook:
    """Has 6,000 cells."""
    notebook["cells"] += [code(f"v = {n}") for n in range(6000)]
    return notebook


@broken.made(error="of code, at most")
def long_code(notebook: Notebook) -> Notebook:
    """Has 3 MB of code."""
    notebook["cells"].append(code("v = '" + "x" * 3 * MEBIBYTE + "'"))
    return notebook


def with_member(notebook: Notebook, value: bytes) -> bytes:
    """Its file, with a member that no notebook has."""
    return raw(notebook)[:-1] + b', "x": ' + value + b"}"


# Old formats


@broken.made(error="format")
def format_3(notebook: Notebook) -> Notebook:
    """Is a notebook as IPython 2 wrote it."""
    cells = [
        {"cell_type": "code", "language": "python", "input": cell["source"], "outputs": [], "metadata": {}}
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]}


for name, content in {
    "format_1": b'{"nbformat": 1, "cells": [{"cell_type": "code", "input": "x"}]}',
    "format_2": b'{"nbformat": 2, "worksheets": [{}]}',
    "format_3_with_cells_as_text": b'{"nbformat": 3, "worksheets": [{"cells": "x"}]}',
    "format_3_without_worksheets": b'{"nbformat": 3, "worksheets": null}',
    "format_below_zero": b'{"nbformat": -4, "cells": [{"cell_type": "code", "source": "x"}]}',
}.items():
    broken(name, "Has a format older than 4.", raw=content, error="format|not a notebook")

# Sizes


def with_output(notebook: Notebook, text: bytes) -> bytes:
    """Its file, with this in the text of an output."""
    stream = b'"outputs": [{"output_type": "stream", "name": "stdout", "text": ' + text + b"}]"
    return raw(notebook).replace(b'"outputs": []', stream, 1)


@broken.made(error="MB")
def output_of_100_megabytes(notebook: Notebook) -> bytes:
    """Holds 100 MB of output."""
    return with_output(notebook, b'"' + b"x" * 10**8 + b'"')


@broken.made(error="MB")
def output_of_190_megabytes(notebook: Notebook) -> bytes:
    """Holds 190 MB of output, one character of which makes Python keep all of them wide."""
    return with_output(notebook, b'"' + "😀".encode() + b"x" * (190 * 10**6) + b'"')


@broken.made(error="MB|too many values")
def output_of_many_lines(notebook: Notebook) -> bytes:
    """Holds an output of seven million lines."""
    return with_output(notebook, b"[" + b'"0.1234\\n",' * (7 * 10**6) + b'"x"]')


@broken.made()
def output_of_30_megabytes(notebook: Notebook) -> bytes:
    """Holds 30 MB of output, which is much but read."""
    return with_output(notebook, b'"' + b"x" * (30 * 10**6) + b'"')


# Odd files that are notebooks all the same


@broken.made()
def byte_order_mark(notebook: Notebook) -> bytes:
    """Begins with a byte order mark."""
    return b"\xef\xbb\xbf" + raw(notebook)


@broken.made()
def utf_16(notebook: Notebook) -> bytes:
    """Is written in UTF-16."""
    return json.dumps(notebook, ensure_ascii=False).encode("utf-16")


@broken.made()
def utf_32(notebook: Notebook) -> bytes:
    """Is written in UTF-32."""
    return json.dumps(notebook).encode("utf-32")


@broken.made()
def space_around(notebook: Notebook) -> bytes:
    """Has blank lines above and below."""
    return b"\n\r\n  " + raw(notebook) + b"\r\n\n"


@broken.made()
def windows_lines(notebook: Notebook) -> bytes:
    """Is indented JSON with the line ends of Windows, in the file and in the sources."""
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r\n")
    return json.dumps(notebook, indent=1).replace("\n", "\r\n").encode()


@broken.made()
def old_mac_lines(notebook: Notebook) -> Notebook:
    """Ends the lines of its sources as old Macs did."""
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r")
    return notebook


@broken.made()
def newer_format(notebook: Notebook) -> Notebook:
    """Says that it has format 5."""
    return {**notebook, "nbformat": 5}


@broken.made()
def format_as_text(notebook: Notebook) -> Notebook:
    """Says that it has format "4"."""
    return {**notebook, "nbformat": "4"}


@broken.made()
def no_format(notebook: Notebook) -> Notebook:
    """Does not say what format it has."""
    return {"cells": notebook["cells"]}


@broken.made()
def numbers_that_are_none(notebook: Notebook) -> bytes:
    """Holds NaN and infinities, which JSON has not."""
    return with_member(notebook, b"[NaN, Infinity, -Infinity, 1e999]")


@broken.made()
def duplicate_keys(notebook: Notebook) -> bytes:
    """Names its cells and their sources twice; the last counts, as in every reader of JSON."""
    return raw(notebook).replace(b'{"cells":', b'{"cells": [], "cells":', 1).replace(
        b'"source":', b'"source": "raise SystemExit", "source":'
    )  # fmt: skip


@broken.made()
def many_members(notebook: Notebook) -> bytes:
    """Has 100,000 members that no notebook has."""
    return with_member(notebook, json.dumps({str(n): n for n in range(10**5)}).encode())


@broken.made()
def lone_surrogates(notebook: Notebook) -> Notebook:
    """Holds halves of characters in text, code, ids, metadata and outputs."""
    half = "\ud800"
    notebook["metadata"] = {half: half}
    for cell in notebook["cells"]:
        cell["metadata"][half] = half
        cell["source"] += f"\n# {half}" if cell["cell_type"] == "code" else half
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": half, "text": half}]
    return notebook


@broken.made()
def nul_in_text(notebook: Notebook) -> Notebook:
    """Holds NUL and other control characters in its text cells."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] += "\x00\x07\x1b[2J\u202e"
    return notebook


def each_cell(**facts: object):
    """A notebook whose cells have these facts; `...` takes a fact away."""

    def make(notebook: Notebook) -> Notebook:
        for cell in notebook["cells"]:
            for name, value in facts.items():
                if value is ...:
                    cell.pop(name, None)
                else:
                    cell[name] = value
        return notebook

    return make


for name, facts in {
    "one_id_for_all": {"id": "a"},
    "no_ids": {"id": ...},
    "ids_as_dictionaries": {"id": {}},
    "ids_as_numbers": {"id": 3},
    "long_ids": {"id": "x" * 10**5},
    "no_metadata": {"metadata": ...},
    "null_metadata": {"metadata": None},
    "metadata_as_list": {"metadata": [1]},
    "metadata_as_text": {"metadata": "tags"},
    "nbgrader_as_text": {"metadata": {"nbgrader": "x"}},
    "nbgrader_as_list": {"metadata": {"nbgrader": [{"grade_id": "relu"}]}},
    "grade_id_as_list": {"metadata": {"nbgrader": {"grade_id": [1], "solution": "yes"}}},
    "no_outputs": {"outputs": ..., "execution_count": ...},
    "outputs_as_text": {"outputs": "boom", "attachments": 3},
    "outputs_as_dictionary": {"outputs": {"output_type": []}, "execution_count": "many"},
    "attachments": {"attachments": {"a.png": {"image/png": "A" * 10**6, "text/html": "<script>"}}},
    "unknown_members": {"execution": {"iopub": "x"}, "prompt_number": 3, "input": "raise SystemExit"},
}.items():
    make = each_cell(**facts)
    make.__name__, make.__doc__ = name, "Gives its cells facts that no notebook has, or takes some away."
    broken.made()(make)


@broken.made()
def sources_as_lists(notebook: Notebook) -> Notebook:
    """Has its sources as lists of lines, with things between them that are no lines."""
    for cell in notebook["cells"]:
        cell["source"] = [part for line in cell["source"].splitlines(True) for part in (line, None)]
    return notebook


@broken.made()
def cells_that_are_none(notebook: Notebook) -> Notebook:
    """Has things between its cells that are no cells."""
    notebook["cells"] += [
        None,
        3,
        "x",
        [],
        {},
        {"cell_type": "code"},
        {"cell_type": ["code"], "source": {}},
        {"cell_type": "code", "source": 3},
        {"cell_type": "code", "source": [1, "x = 1", None]},
        {"cell_type": "raw", "source": "zz"},
        {"cell_type": "heading", "source": "h", "level": 1},
    ]
    return notebook


@broken.made()
def metadata_of_the_notebook(notebook: Notebook) -> Notebook:
    """Has a list for its metadata."""
    return {**notebook, "metadata": [None], "nbformat_minor": "five"}


# Folders


def written(place: Path, name: str = f"{ASSIGNMENT}.ipynb") -> None:
    """A notebook with full marks in a student's folder."""
    place.mkdir(exist_ok=True)
    (place / name).write_bytes(raw(notebook()))


@broken.on_disk(error="not a regular file")
def folder_instead_of_a_file(place: Path) -> None:
    """Hands in a folder called like the notebook."""
    (place / f"{ASSIGNMENT}.ipynb").mkdir(parents=True)


@broken.on_disk(error="link")
def link_to_a_notebook(place: Path) -> None:
    """Hands in a link to a notebook with full marks."""
    written(place, "other.ipynb")
    (place / f"{ASSIGNMENT}.ipynb").symlink_to(place / "other.ipynb")


@broken.on_disk(error="link")
def link_to_a_system_file(place: Path) -> None:
    """Hands in a link to a file of the system's."""
    place.mkdir()
    (place / f"{ASSIGNMENT}.ipynb").symlink_to("/etc/passwd")


@broken.on_disk(error="link")
def link_to_endless_zeros(place: Path) -> None:
    """Hands in a link to a device that never ends."""
    place.mkdir()
    (place / f"{ASSIGNMENT}.ipynb").symlink_to("/dev/zero")


@broken.on_disk(error="link")
def link_to_itself(place: Path) -> None:
    """Hands in a link to itself."""
    place.mkdir()
    (place / f"{ASSIGNMENT}.ipynb").symlink_to(f"{ASSIGNMENT}.ipynb")


@broken.on_disk(error="link")
def link_to_a_folder(place: Path) -> None:
    """Hands in a link to a folder with a notebook in it."""
    written(place.with_name("elsewhere"))
    place.symlink_to(place.with_name("elsewhere"))


@broken.on_disk(error="not a regular file")
def pipe(place: Path) -> None:
    """Hands in a named pipe, which blocks who reads it."""
    place.mkdir()
    os.mkfifo(place / f"{ASSIGNMENT}.ipynb")


@broken.on_disk(error="ipynb")
def socket_file(place: Path) -> None:
    """Hands in a socket."""
    place.mkdir()
    folder = os.open(place, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{folder}/{ASSIGNMENT}.ipynb")
    os.close(folder)


@broken.on_disk(error="there is no activations.ipynb$")
def nothing_in_the_folder(place: Path) -> None:
    """Hands in an empty folder."""
    place.mkdir()


@broken.on_disk(error=r"there is Activations \(1\).ipynb")
def renamed(place: Path) -> None:
    """Hands in a notebook that a browser has renamed."""
    written(place, "Activations (1).ipynb")


@broken.on_disk(error="there is no")
def renamed_to_bytes(place: Path) -> None:
    """Hands in a notebook with a name that is no text and clears terminals."""
    written(place, os.fsdecode(b"\xff\x1b[2J.ipynb"))


@broken.on_disk(error="MB")
def sparse(place: Path) -> None:
    """Hands in a file of a terabyte with nothing in it."""
    place.mkdir()
    with open(place / f"{ASSIGNMENT}.ipynb", "wb") as file:
        file.truncate(10**12)


@broken.on_disk(absent=True)
def nothing_of_the_assignment(place: Path) -> None:
    """Has a folder, and nothing of this assignment in it."""


@broken.on_disk(absent=True)
def file_instead_of_a_folder(place: Path) -> None:
    """Has a file where the folder of the assignment should be."""
    place.write_text("x")


@broken.on_disk(absent=True)
def dangling_link(place: Path) -> None:
    """Has a link to nowhere where the folder of the assignment should be."""
    place.symlink_to("/nonexistent")


@broken.on_disk()
def files_beside(place: Path) -> None:
    """Hands in modules, settings and hidden files beside the notebook."""
    written(place)
    for name in ("numpy.py", "conftest.py", "grader.py", "sitecustomize.py", ".hidden", "nbgrader_config.py"):
        (place / name).write_text("raise SystemExit")


for name, student in {
    "unicode": "Zoë Ñandú 李小龍 🎓",
    "shell": 'O\'Brien "x" $(touch pwned); & <b>',
    "right_to_left": "\u202eabc\ndef\x1b[31m",
    "bytes": b"\xff\xfe",
    "long": "n" * 255,
    "option": "--help",
    "formats": "%s%n{0}[bold]",
    "dots": "...",
    "space": " ",
}.items():

    def called(place: Path) -> None:
        written(place)

    called.__name__, called.__doc__ = f"student_called_{name}", "Has a name that is hard to print."
    broken.on_disk(student=student)(called)
