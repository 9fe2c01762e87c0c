"""Play the runner by hand: nodes made up, moves compared."""

from tts_explorer.tree import Node

ROOT = Node(())


def step(*id, score=None, done=False, answer=None):
    """A node; one with an answer is done."""
    done = done or answer is not None
    return Node(id, stop="eos" if done else "step", terminal=done, answer=answer, aggregated=score, reward=score)


def ended(search, answer):
    """Whether the strategy has nothing more to ask."""
    try:
        search.send(answer)
    except StopIteration:
        return True
    return False
