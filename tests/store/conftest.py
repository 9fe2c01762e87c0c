"""A store in a temporary folder."""

import pytest

from tts_explorer.store import Store


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "sessions.db")
    yield made
    made.close()
