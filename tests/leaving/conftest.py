"""A square on both databases."""

import pytest
from tests.support.square import Square

from folkmoot.storage.database import Database


@pytest.fixture
def square(database: Database) -> Square:
    return Square(database)
