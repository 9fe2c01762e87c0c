"""The runner: it answers a strategy's moves by calling the models, and writes down what happened."""

from tts_explorer.runner.loop import Live, Loop
from tts_explorer.runner.plan import Plan
from tts_explorer.runner.prepare import Ask, Models, prepare
from tts_explorer.runner.run import Run

__all__ = ["Ask", "Live", "Loop", "Models", "Plan", "Run", "prepare"]
