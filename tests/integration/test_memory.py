"""How the memory of a process is laid out."""

import subprocess
import sys

import psutil
import pytest

from assistant.memory import HUGE

MEGABYTES = 32
LAID_OUT = f"""
from pathlib import Path
import psutil
from assistant.memory import use_huge_pages

def huge():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    (kilobytes,) = [line.split()[1] for line in lines if line.startswith("AnonHugePages")]
    return int(kilobytes) << 10

made = [bytes([n % 256]) * 1000 for n in range({MEGABYTES} * 1000)]
before, resident = huge(), psutil.Process().memory_info().rss
use_huge_pages()
whole = all(each == bytes([n % 256]) * 1000 for n, each in enumerate(made))
print(huge() - before, psutil.Process().memory_info().rss - resident, whole)
"""


@pytest.mark.skipif(not psutil.LINUX, reason="Linux's own")
def test_what_was_made_lies_in_huge_pages_and_takes_hardly_more() -> None:
    told = subprocess.check_output([sys.executable, "-c", LAID_OUT], text=True).split()
    if told[0] == "0":
        pytest.skip("this kernel does not collapse pages")
    in_huge_pages, more = map(int, told[:2])
    assert in_huge_pages > MEGABYTES * 1_000_000 // 2
    assert more < 4 * HUGE
    assert told[2] == "True"
