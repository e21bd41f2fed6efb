"""How the memory of a server is laid out, so that it stays small and is read quickly."""

import ctypes
import gc
from contextlib import suppress

import psutil

GARBAGE = (2_000, 10, 50)
"""How often garbage is looked for, by generation. Nearly all that a request makes is gone without;
a look at everything, with tastes and conversations of hundreds, holds all up for a seventh of a
second.
"""
M_ARENA_MAX, ARENAS = -8, 2
"""The number of this option in malloc.h, and what it is set to."""
MADV_COLLAPSE = 25
"""The number of this advice in Linux's mman.h, from 6.1 on."""
HUGE = 2 << 20
"""Bytes of a huge page."""
IN_USE = 0.9
"""The share of an area that must be in memory as it is: the rest of it would be, too."""


def share_arenas() -> None:
    """Have threads allocate from two arenas of glibc's, not eight a core: what each has freed is
    lost to the others.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)


def settle() -> None:
    """Have what a start made, which stays, left out of garbage collections: with many films one
    takes a good part of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    gc.enable()
    give_back()


def give_back() -> None:
    """What was freed goes back to the system, where libc knows how."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def use_huge_pages() -> None:
    """Have Linux put what a start made into huge pages, where most of it is in use: a request reads
    here and there in hundreds of megabytes, and looks up fewer pages. Elsewhere nothing happens.
    """
    if not psutil.LINUX:
        return
    libc = ctypes.CDLL(None)
    for each in psutil.Process().memory_maps(grouped=False):
        if each.perms != "rw-p" or each.path not in ("[anon]", "[heap]"):
            continue
        if each.rss < IN_USE * each.size:
            continue
        start, end = (int(address, 16) for address in each.addr.split("-"))
        start, end = -(-start // HUGE) * HUGE, end // HUGE * HUGE
        if start < end:  # a kernel that does not know the advice only says so
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_COLLAPSE)
