"""How a process uses memory. One that trains: what a step frees, the next step takes again. The server: it gives back.

Dask would have glibc give every freed block back at once (`MALLOC_TRIM_THRESHOLD_=65536`, which app/engine/cluster.py
leaves out). A training step frees and asks for the same hundred megabytes: ResNet-20 made 482 images/s that way, 945
like this, on two cores of an AMD EPYC. Large pages for large tensors are worth another 3 %.
"""

import ctypes
import os
from collections.abc import Callable

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -2, -3, -8  # <malloc.h>
KEPT = 512 << 20  # bytes free at the heap's end before any are given back
ARENAS, APART = 2, 256 << 10  # heaps of the server; blocks from this size on stand apart, and are given back when freed
LARGEST = 32 << 20  # the most glibc accepts: blocks up to this size come from the heap


def keep_freed_memory() -> None:
    """Ask it of this process, from now on. Elsewhere than under glibc the system's own way stays."""
    os.environ["THP_MEM_ALLOC_ENABLE"] = "1"  # torch asks once, at its first large tensor
    _set({M_TRIM_THRESHOLD: KEPT, M_TOP_PAD: 64 << 20, M_MMAP_THRESHOLD: LARGEST})


def give_back_large_blocks() -> None:
    """Ask it of the server, whose measurements grow by the second, copy by copy, on many threads.

    Left to itself, glibc takes ever larger blocks from the heaps of up to eight arenas a core, and gives none back.
    """
    _set({M_ARENA_MAX: ARENAS, M_MMAP_THRESHOLD: APART, M_TRIM_THRESHOLD: APART})


def return_freed_memory() -> None:
    """Give back what is kept: a run has ended, and the next one may be small."""
    if trim := _of_glibc("malloc_trim"):
        trim(0)


def _set(options: dict[int, int]) -> None:
    if mallopt := _of_glibc("mallopt"):
        for option, value in options.items():
            mallopt(option, value)


def _of_glibc(name: str) -> Callable[..., int] | None:
    """A function of the C library's; None where it has none of the name, or, as on Windows, cannot be asked at all."""
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except (OSError, TypeError):
        return None
