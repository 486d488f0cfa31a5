"""Which passwords may be chosen, and that hashing costs the same whether there is one or not."""

import unicodedata
from typing import Final

import pytest

from app.auth.password_hashing import PasswordHasher
from app.auth.password_rules import MAX_LENGTH, PasswordRules, Rule, broken
from app.auth.passwords import generated

RULES: Final = PasswordRules()
NAME: Final = "ouyang.mingyue"

TABLE: Final[list[tuple[str, list[Rule]]]] = [
    ("seven quiet herons", []),
    ("蓝天 白云 河边 三只 羊在吃草", []),
    ("x7Gk29!mmQpLz", []),
    ("Tr0ub4dor&3 horse", []),
    ("correct horse battery", []),
    ("short", [Rule.TOO_SHORT]),
    ("elevenchars", [Rule.TOO_SHORT]),
    ("a lot of words " * 9, [Rule.TOO_LONG]),
    ("tab\tin the middle", [Rule.UNPRINTABLE]),
    ("nul\x00in the middle", [Rule.UNPRINTABLE]),
    ("my Ouyang.Mingyue pass", [Rule.HOLDS_NAME]),
    ("ouyang mingyue likes tea", [Rule.HOLDS_NAME]),
    ("eugnim likes tea too", []),
    ("xx euygnim.gnayuo xx", [Rule.HOLDS_NAME]),
    ("xx euygnim-gnayuo-xx", [Rule.HOLDS_NAME]),
    ("aaaaaaaaaaaaaa", [Rule.COMMON]),
    ("abcabcabcabcabc", [Rule.COMMON]),
    ("password1234", [Rule.COMMON]),
    ("P@ssw0rd1234!", [Rule.COMMON]),
    ("Welcome2026!!", [Rule.COMMON]),
    ("admin123456789", [Rule.COMMON]),
    ("iloveyoupassword", [Rule.COMMON]),
    ("woaini1314520", [Rule.COMMON]),
    ("wodemima12345678", [Rule.COMMON]),
    ("短号密码123456789", [Rule.COMMON]),
    ("123456789012", [Rule.COMMON]),
    ("13800001234 2026-11", [Rule.COMMON]),
    ("qwertyuiop12", [Rule.COMMON]),
    ("1qaz2wsx3edc", [Rule.COMMON]),
    ("zyxwvutsrqponml", [Rule.COMMON]),
    ("Abcd", [Rule.TOO_SHORT, Rule.COMMON]),
]


@pytest.mark.parametrize(("password", "rules"), TABLE, ids=[each[0][:20] for each in TABLE])
def test_a_password_breaks_exactly_these_rules(password: str, rules: list[Rule]) -> None:
    assert broken(password, user_name=NAME, rules=RULES) == rules


def test_a_name_of_two_letters_stands_in_many_words() -> None:
    assert broken("a very tabby sentence", user_name="ab", rules=RULES) == []


@pytest.mark.parametrize("length", [12, 20])
def test_length_is_counted_in_characters_as_they_are_compared(length: int) -> None:
    rules = PasswordRules(least=length)
    letters = "é阿ξñя䶮ğøåŵþü鱻ęůőž羴śč"
    assert broken(letters[:length], user_name=NAME, rules=rules) == []
    assert Rule.TOO_SHORT in broken(letters[: length - 1], user_name=NAME, rules=rules)
    apart = unicodedata.normalize("NFD", letters[: length - 1])
    assert Rule.TOO_SHORT in broken(apart, user_name=NAME, rules=rules)


def test_every_rule_speaks_both_languages() -> None:
    for rule in Rule:
        en, zh = RULES.words(rule)
        assert en.isascii()
        assert not zh.isascii()
        assert "{" not in en + zh


def test_what_is_generated_breaks_no_rule_and_never_comes_twice() -> None:
    made = {generated() for _ in range(200)}
    assert len(made) == 200
    for each in made:
        assert broken(each, user_name=NAME, rules=RULES) == []


async def test_a_hash_is_argon2id_salted_and_the_same_word_on_another_system() -> None:
    hasher = PasswordHasher(memory_kib=19_456, rounds=2)
    typed = unicodedata.normalize("NFD", "café au lait für alle")
    first, second = await hasher.hash(typed), await hasher.hash(typed)
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert await hasher.matches(unicodedata.normalize("NFC", typed), first)
    assert not await hasher.matches(typed + "x", first)
    hasher.close()


async def test_nobodys_password_costs_what_somebodys_does() -> None:
    hasher = PasswordHasher(memory_kib=19_456, rounds=2)
    stored = await hasher.hash("seven quiet herons")
    before = hasher.computed
    for typed, against in (
        ("seven quiet herons", None),
        ("wrong", stored),
        ("x" * (MAX_LENGTH + 1), stored),
        ("x" * 100_000, None),
        ("nul\x00", stored),
        ("\ud800", stored),
        ("", stored),
    ):
        assert not await hasher.matches(typed, against)
    assert hasher.computed - before == 7
    hasher.close()
