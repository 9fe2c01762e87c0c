"""Worker processes: what is handed out to them is done, and they end with the process that started them."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tts_explorer.errors import UserError
from tts_explorer.workers import as_they_end, cores, hands

SCRIPT = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from tts_explorer.workers import follow

if __name__ == "__main__":
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=follow) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="no /proc to look at processes in")
def test_a_worker_ends_with_a_parent_that_is_killed():
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True) as parent:
        worker = Path(f"/proc/{int(parent.stdout.readline())}/stat")
        assert worker.is_file()
        parent.kill()
    for _ in range(300):
        if not worker.is_file() or worker.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.1)
    raise AssertionError("the worker lives on")


def test_work_is_done_by_other_processes_and_what_breaks_there_is_told():
    with hands(2) as submit:
        assert submit(abs, -3).result() == 3
        with pytest.raises(ValueError, match="invalid literal"):
            submit(int, "x").result()


def test_a_worker_that_dies_is_told_in_a_sentence():
    with pytest.raises(UserError, match="a worker process died"), hands(2) as submit:
        submit(os._exit, 1).result()


@pytest.mark.parametrize("workers", [1, 2])
def test_jobs_are_drawn_as_hands_are_free(workers):
    drawn, most, ended = [], [], {}
    with hands(workers) as submit:
        for job, future in as_they_end(submit, workers, abs, (drawn.append(n) or n for n in (-3, 1, -2, 0, -9))):
            ended[job] = future.result()
            most.append(len(drawn) - len(ended))
    assert ended == {-3: 3, 1: 1, -2: 2, 0: 0, -9: 9} and max(most) < workers
    assert list(as_they_end(None, workers, abs, [])) == [] and cores() >= 1
