"""Worker processes: what each does first. They leave Ctrl-C to the process that started them, and end with it however it ends."""

from __future__ import annotations

import os
from multiprocessing import parent_process
from signal import SIG_IGN, SIGINT, signal
from threading import Thread


def follow() -> None:
    """The initializer of a pool of processes."""
    signal(SIGINT, SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
