"""Hypothesis draws the same examples on every run and sets no deadline: machines differ in speed."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # worlds.py and hands.py, whatever the import mode
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None, max_examples=50)
settings.load_profile("repeatable")
