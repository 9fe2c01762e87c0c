"""Which process this is, among all that ever ran on this machine: id, start time and boot name one for good."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def this_process() -> str:
    """This process among all that ever ran on this machine: pid, start time, boot."""
    return _process(os.getpid())


def alive(owner: str) -> bool:
    """Whether the process that `this_process` named is still there."""
    pid = owner.split(":")[0]
    return pid.isdecimal() and _process(int(pid)) == owner


def _process(pid: int) -> str:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return _listed(pid)
    return f"{pid}:{fields[19]}:{boot}" if fields[0] != "Z" else ""


def _listed(pid: int) -> str:
    """Without /proc: pid and start time as `ps` tells them; where there is no `ps` either, this process alone is known."""
    if os.path.isdir("/proc/self") or os.name == "nt":
        return f"{pid}::" if pid == os.getpid() else ""
    asked = ["ps", "-o", "lstart=", "-p", str(pid)]
    told = subprocess.run(asked, env={"LC_ALL": "C", "TZ": "UTC"}, capture_output=True, text=True).stdout.strip()
    return f"{pid}:{told}:" if told else ""
