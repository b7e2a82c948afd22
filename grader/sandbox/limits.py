"""What one hand-in may use. Known on both sides: ours waits and counts, the student's sets what the kernel enforces."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

MEBIBYTE = 2**20
KERAS_MEMORY = 2048 * MEBIBYTE
KERAS_THREADS = 4  # for each processor: TensorFlow starts three and some, most of them for a moment
STACK_BYTES = 8 * MEBIBYTE
TICK_SECONDS = 0.05  # how often what the kernel does not bound is counted


def megabytes(count: int) -> str:
    """A number of bytes for people."""
    return f"{count / 1e6:.4g} MB"


@dataclass(frozen=True)
class Limits:
    """What one hand-in may use.

    Attributes:
        cell_seconds: time for one cell.
        call_seconds: time for one call.
        total_seconds: time for all cells and calls together.
        cell_cpu_seconds: processor time for one cell.
        call_cpu_seconds: processor time for one call.
        cpu_seconds: processor time in all.
        memory_bytes: memory of all its processes, beyond what they start with.
        processes: processes and threads at a time.
        open_files: open files of a process.
        file_bytes: size of a file.
        disk_bytes: size of all files together.
        output_bytes: what the cells may print and display.
        reply_bytes: one reply, so one cell's outputs or one call's value.
    """

    cell_seconds: float = 60.0
    call_seconds: float = 10.0
    total_seconds: float = 300.0
    cell_cpu_seconds: float = 120.0
    call_cpu_seconds: float = 20.0
    cpu_seconds: float = 300.0
    memory_bytes: int = 2048 * MEBIBYTE
    processes: int = 16
    open_files: int = 64
    file_bytes: int = 64 * MEBIBYTE
    disk_bytes: int = 128 * MEBIBYTE
    output_bytes: int = 4 * MEBIBYTE
    reply_bytes: int = 16 * MEBIBYTE

    def beside(self, packages: Iterable[str]) -> Limits:
        """These, with what packages take for themselves on top.

        Args:
            packages: what a hand-in may import.
        """
        if "keras" not in packages:
            return self
        threads = KERAS_THREADS * (os.cpu_count() or 1)
        memory = self.memory_bytes + KERAS_MEMORY + threads * STACK_BYTES
        return replace(self, processes=self.processes + threads, memory_bytes=memory)

    def met_in(self, error: str) -> str:
        """Which limit an error of Python's is about, and how much it allows; empty where none is known.

        Args:
            error: kind and message, as in "OSError: [Errno 27] File too large".
        """
        for pattern, allowed in (
            (
                r"^\w*MemoryError|\[Errno 12\]|^ResourceExhausted.* OOM ",
                f"have {megabytes(self.memory_bytes)} of memory",
            ),
            (
                r"\[Errno 11\]|can't start new thread",
                f"have {self.processes} processes and threads at a time",
            ),
            (r"\[Errno 24\]", f"have {self.open_files} open files"),
            (r"\[Errno 27\]", f"have {megabytes(self.file_bytes)} in a file"),
            (r"\[Errno 28\]", f"have {megabytes(self.disk_bytes)} in all its files"),
            (r"\[Errno 95\]", "start no processes here"),
        ):
            if re.search(pattern, error):
                return f"a notebook may {allowed}"
        return ""
