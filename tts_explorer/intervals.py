"""How far a measured share may lie from the true one. It knows nothing of what was counted."""

from __future__ import annotations

import math


def wilson(correct: int, total: int) -> tuple[float, float]:
    """95% interval of a share (Wilson 1927).

    >>> [round(x, 3) for x in wilson(50, 100)]
    [0.404, 0.596]
    """
    z, share = 1.959964, correct / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return max(0.0, middle - half), min(1.0, middle + half)
