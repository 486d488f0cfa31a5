"""Characters that show nothing: hidden in a name they make two that look alike, and in some words they are spelling."""

import pytest

from app.kit.letters import hides, spelt

NEVER = (
    *"\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2064\u3164\ufe0e\ufe0f\ufeff\uffa0",
    "\U000e0041",
    "\U000e0100",
)


@pytest.mark.parametrize("unseen", NEVER, ids=ascii)
@pytest.mark.parametrize("name", ["{}Zhang", "Zh{}ang", "Zhang{}", "林{0}{0}雷", "{}", "❤{}"])
def test_a_name_may_not_hide_what_shows_nothing(name: str, unseen: str) -> None:
    assert hides(name.format(unseen))


@pytest.mark.parametrize(
    "name", ["", "Zhang San", "欧阳明月", "阿依古丽·买买提", "𠮷野", "\ue000", "Müller", "e\u0301", "علی", "मोहन"]
)
def test_a_name_that_shows_all_it_has_hides_nothing(name: str) -> None:
    assert not hides(name)
    assert spelt(name) == name


@pytest.mark.parametrize(
    "word",
    [
        "نیک\u200cپی",
        "مه\u200cرو",
        "بِ\u200cمن",
        "क्\u200dष",
        "क्\u200cष",
        "ශ්\u200dරී",
        "അവന്\u200d",
        "র\u200d্যাব",
        "ᠬᠠᠮᠢᠭ\u180eᠠ",
        "ᠠ\u180b",
        "葛\U000e0100城",
        "邉\U000e0105",
        "羽\ufe00",
    ],
    ids=ascii,
)
def test_what_is_spelling_may_stand_in_a_word(word: str) -> None:
    assert not hides(word)
    assert spelt(word).isprintable()


@pytest.mark.parametrize(
    "word",
    [
        "علی\u200c",
        "\u200cعلی",
        "داد\u200cرس",
        "نیک\u200c\u200cپی",
        "نیک\u200dپی",
        "نیک\u200cA",
        "क\u200dष",
        "क\u200cष",
        "क्\u200c",
        "क्\u200d\u200d",
        "葛\ufe0f",
        "葛\U000e0100\U000e0101",
        "A\U000e0100",
        "Д\u200cЖ",
        "한\u200c글",
    ],
    ids=ascii,
)
def test_beside_that_it_may_not_even_in_such_a_script(word: str) -> None:
    assert hides(word)
