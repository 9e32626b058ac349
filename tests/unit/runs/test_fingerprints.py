"""When two failures are the same one."""

import pytest

from runs.fingerprints import fingerprint, type_and_message


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("ValueError: duplicate key 17", "ValueError: duplicate key 99", True),
        ("ValueError: part-03", "KeyError: part-03", False),
        ("OSError: 550e8400-e29b-41d4-a716-446655440000 gone", "OSError: 650e8400-e29b-41d4-a716-446655440111 gone", True),
        ("OSError: object at 0x7f309d1459d0", "OSError: object at 0x7f309d145aaa", True),
        ("KeyError: 'a'", "KeyError: 'b'", False),
        ("ValueError: x\n  more 1", "ValueError: x\n  less", True),
        (None, None, True),
    ],
)
def test_numbers_and_ids_make_no_difference(one: str | None, other: str | None, is_same: bool) -> None:
    assert (fingerprint("user_exception", one) == fingerprint("user_exception", other)) is is_same


def test_an_exit_code_is_the_same_only_within_a_task() -> None:
    assert fingerprint("exit_code", "exit 1 of bash", "a") != fingerprint("exit_code", "exit 1 of bash", "b")
    assert fingerprint("user_exception", "ValueError: x", "a") == fingerprint("user_exception", "ValueError: x", "b")


def test_a_text_is_split_into_type_and_message() -> None:
    assert type_and_message("etl.errors.NoRows: none: at all") == ("etl.errors.NoRows", "none: at all")
    assert type_and_message("It was killed.") == ("", "It was killed.")
    assert type_and_message(None) == ("", "")
