"""A gate and its people on the test's database."""

import pytest
from tests.support.people import People

from folkmoot.gate import Gate
from folkmoot.storage.database import Database


@pytest.fixture
def gate(database: Database) -> Gate:
    return Gate(database)


@pytest.fixture
def people(gate: Gate) -> People:
    return People(gate)
