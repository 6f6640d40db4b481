"""A surface that does not say whom it serves, or says what would serve others, does not get in."""

import pytest

from folkmoot.gate import Action, Register, Serves, Surface, Unregistered


def test_what_was_added_is_there_once() -> None:
    register = Register()
    surface = Surface("route", "GET /a", Serves.ANYONE, Action.READ)
    register.add(surface)
    assert list(register) == [surface]
    assert len(register) == 1
    with pytest.raises(Unregistered, match="twice"):
        register.add(surface)


@pytest.mark.parametrize(
    ("serves", "action"),
    [
        (Serves.MODERATOR, Action.READ),
        (Serves.SIGNED_IN, Action.MODERATE),
        (Serves.ROOM, Action.READ),
        (Serves.ROOM, Action.POST),
    ],
)
def test_a_declaration_that_would_let_the_wrong_people_in_is_refused(serves: Serves, action: Action) -> None:
    with pytest.raises(Unregistered):
        Register().add(Surface("route", "GET /a", serves, action))
