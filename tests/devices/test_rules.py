"""Pure rules of devices: addresses, serial numbers, and every step from every state."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.devices.rules import TRUSTED, State, Step, allows, hardware_address, serial_number


@given(st.binary(min_size=6, max_size=6), st.sampled_from(["", ":", "-", ".", " "]), st.booleans())
def test_one_address_has_one_form_however_it_is_printed(raw: bytes, separator: str, upper: bool) -> None:  # noqa: FBT001 — drawn
    plain = raw.hex()
    printed = separator.join(plain[at : at + 2] for at in range(0, 12, 2))
    found = hardware_address(printed.upper() if upper else printed)
    single = not raw[0] & 1 and any(raw)
    assert found == (":".join(plain[at : at + 2] for at in range(0, 12, 2)) if single else None)


@given(st.text("0123456789abcdefABCDEF:-. xg", max_size=24))
def test_whatever_is_given_is_an_address_in_its_form_or_none(text: str) -> None:
    found = hardware_address(text)
    assert found is None or hardware_address(found) == found


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("ab 12-9981", "AB12-9981"), ("\uff21\uff22\uff11\uff12", "AB12"), ("x", "X")],
    ids=["spaces", "full width", "small letter"],
)
def test_serial_numbers_are_compared_in_one_form(text: str, wanted: str) -> None:
    assert serial_number(text) == wanted
    assert serial_number(wanted) == wanted


def test_nothing_can_be_done_with_a_device_that_is_retired() -> None:
    assert not any(allows(State.RETIRED, step) for step in Step)


@pytest.mark.parametrize("state", [each for each in State if each is not State.RETIRED])
def test_every_other_device_can_be_given_to_somebody_and_retired(state: State) -> None:
    assert allows(state, Step.ASSIGN)
    assert allows(state, Step.RETIRE)
    assert allows(state, Step.SUSPEND) == (state in TRUSTED)
