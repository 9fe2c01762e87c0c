"""Hypothesis draws the same examples on every run and sets no deadline: machines differ in speed."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None, max_examples=50)
settings.load_profile("repeatable")
