"""What an instructor sets, in nbgrader_config.py or on the command line, and what a wrong word gets."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from traitlets.config import Config

from grader.autograde import Grade
from grader.course import Course, CourseError, UnknownName
from grader.sandbox import Limits
from grader.settings import Settings, defaults, limits_from

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def course(tmp_path):
    return Course(ROOT).copied_to(tmp_path / "course")


def configured(course, text):
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write(text)
    return course


def test_the_course_leaves_the_defaults_alone():
    assert Settings.of(Course(ROOT)) == Settings() == Settings(Limits(), "auto", False)


def test_the_config_file_sets(course):
    configured(
        course,
        "c.Grade.limits = {'call_seconds': 20, 'memory_bytes': '4GiB'}\n"
        "c.Grade.sandbox = 'landlock'\nc.Grade.allow_unsandboxed = True\n",
    )
    assert Settings.of(course) == Settings(
        Limits(call_seconds=20.0, memory_bytes=4 * 2**30), "landlock", True
    )


def test_the_command_line_comes_after_it(course):
    configured(course, "c.Grade.limits = {'call_seconds': 20, 'cell_seconds': 30}\n")
    given = limits_from(["call_seconds=0.5", "file_bytes=100MB", "disk_bytes=7 kB"])
    assert Settings.of(course).changed(limits=given, sandbox=None).limits == Limits(
        call_seconds=0.5, cell_seconds=30.0, file_bytes=100_000_000, disk_bytes=7000
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("limits = {'call_second': 20}", "no limit 'call_second'; did you mean call_seconds"),
        ("limits = {'call_seconds': 'much'}", "limit call_seconds is 'much'; write a number above 0"),
        ("limits = {'call_seconds': -1}", "limit call_seconds is -1"),
        ("limits = {'call_seconds': 10**12}", "limit call_seconds is 1000000000000"),
        ("limits = {'processes': 0.5}", "limit processes is 0.5"),
        ("limits = {'processes': True}", "limit processes is True"),
        ("limits = {'processes': '4GiB'}", "limit processes is '4GiB'"),
        ("limits = {'memory_bytes': '4GB.'}", "such as 2GiB"),
        ("limits = {'memory_bytes': '9' * 20 + 'GiB'}", "limit memory_bytes is '999"),
        ("limits = {7: 7}", "no limit '7'"),
        ("limits = 20", "limits is 20; write names and amounts"),
        ("limit = {}", "no setting 'limit'; did you mean limits"),
        ("sandbox = 'lanlock'", "no sandbox 'lanlock'; did you mean landlock?"),
        ("sandbox = 'none'", "no sandbox 'none'; there are auto, bubblewrap, landlock"),
        ("sandbox = 7", "no sandbox '7'"),
        ("allow_unsandboxed = 'no'", "allow_unsandboxed is 'no'; write True or False"),
    ],
)
def test_a_wrong_word_in_the_config_file_is_one_line_with_the_right_ones(course, line, said):
    with pytest.raises(UnknownName) as wrong:
        Settings.of(configured(course, f"c.Grade.{line}\n"))
    text = str(wrong.value)
    assert text.startswith("nbgrader_config.py") and said in text and "\n" not in text


def test_a_config_file_that_cannot_be_run_is_named(course):
    with pytest.raises(CourseError, match=r"^nbgrader_config\.py: NameError"):
        Settings.of(configured(course, "c.Grade.limits = limits\n"))


def test_nbgraders_preprocessor_has_the_same_settings():
    own = Grade.class_trait_names(config=True)
    for name in ("limits", "sandbox", "allow_unsandboxed"):
        assert name in own
    found = Grade(config=Config(Grade={"limits": {"call_seconds": 20}, "sandbox": "landlock"})).settings()
    assert found == Settings(Limits(call_seconds=20.0), "landlock")


def test_every_limit_has_a_default_that_reads_back():
    assert list(defaults()) == [each.name for each in fields(Limits)]
    assert Settings().changed(limits=defaults()).limits == Limits()


def test_the_limits_of_the_security_page_are_those_in_force():
    page = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert dict(re.findall(r"^\| `(\w+)` \| (\S+) \|", page, re.MULTILINE)) == defaults()
