"""Worker processes end with the one that started them."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

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
