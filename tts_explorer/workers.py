"""Worker processes: how work is handed out to them, and what each does first.

They leave Ctrl-C to the process that started them, and end with it however it ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from signal import SIG_IGN, SIGINT, signal
from threading import Thread
from typing import Any, TypeVar

from tts_explorer.errors import UserError

Submit = Callable[..., Future[Any]]
"""Takes a function and its arguments, as an executor does."""
J = TypeVar("J")


def follow() -> None:
    """The initializer of a pool of processes."""
    signal(SIGINT, SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def hands(workers: int) -> Iterator[Submit]:
    """How work is handed out: one worker is this process, more are others. Whatever ends the block, Ctrl-C too, ends them.

    Raises UserError if one of them has died.
    """
    if workers == 1:
        yield at_once
        return
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=follow)
    before = set(active_children())
    try:
        yield pool.submit
    except BrokenProcessPool as error:
        raise UserError("a worker process died, perhaps for want of memory: run it again, with fewer --workers") from error
    finally:
        for child in set(active_children()) - before:
            child.terminate()
        pool.shutdown(wait=False, cancel_futures=True)


def at_once(function: Callable[..., Any], *arguments: Any) -> Future[Any]:
    """Do it here and now."""
    future: Future[Any] = Future()
    try:
        future.set_result(function(*arguments))
    except Exception as error:
        future.set_exception(error)
    return future


def as_they_end(submit: Submit, workers: int, function: Callable[[J], Any], jobs: Iterable[J]) -> Iterator[tuple[J, Future[Any]]]:
    """Each job with what came of it, the first to end first. At most `workers` are under way; a job is drawn as one is free."""
    waiting, going = iter(jobs), dict[Future[Any], J]()
    while True:
        while len(going) < workers and (job := next(waiting, None)) is not None:
            going[submit(function, job)] = job
        if not going:
            return
        first = wait(going, return_when=FIRST_COMPLETED).done.pop()
        yield going.pop(first), first


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
