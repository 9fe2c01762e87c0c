"""Scripted models by name, so that the lab's searches cost nothing."""

import pytest
from worlds import models_by_name


@pytest.fixture
def models():
    return models_by_name()
