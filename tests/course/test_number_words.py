"""The number words are those of the languages, cut into words."""

import pytest
from num2words import num2words

from course import data


def test_german_comes_in_its_parts():
    words = data.number_words("de")
    assert words[345] == ["drei", "hundert", "fünf", "und", "vierzig"]
    assert words[716] == ["sieben", "hundert", "sechzehn"]
    assert ["".join(parts) for parts in words] == [num2words(number, lang="de") for number in range(1000)]
    assert len({part for parts in words for part in parts}) == 31


@pytest.mark.parametrize(
    ("language", "number", "words"),
    [
        ("en", 345, "three hundred and forty five"),
        ("fr", 97, "quatre vingt dix sept"),
        ("fr", 71, "soixante et onze"),
    ],
)
def test_others_come_in_their_words(language, number, words):
    assert data.number_words(language, number + 1)[number] == words.split()
