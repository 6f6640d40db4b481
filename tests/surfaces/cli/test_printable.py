"""What others wrote, before it reaches a terminal."""

from hypothesis import given
from hypothesis import strategies as st

from folkmoot.surfaces.cli.printable import printable


def test_what_a_terminal_would_obey() -> None:
    assert printable("\x1b[2Jintact\r\n\x9b8m\u202edcba\x07") == "�[2Jintact���8m�dcba�"
    assert printable("00:01–00:02 ‘Möte’ 会") == "00:01–00:02 ‘Möte’ 会"


@given(st.text())
def test_nothing_else_is_changed(text: str) -> None:
    said = printable(text)
    assert said.isprintable()
    assert len(said) == len(text)
