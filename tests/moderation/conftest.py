"""A gate and its people on the test's database."""

import pytest
from tests.support.people import People

from folkmoot.gate import Gate
from folkmoot.storage.database import Database


@pytest.fixture
def people(database: Database) -> People:
    return People(Gate(database))
