# SPDX-License-Identifier: MIT
"""What the machine itself charges: see machine/machine.c. For bench/run."""

import statistics
import subprocess

N = 20000  # of each; wake-ups, which sleep for a while, are fewer
TIME_LIMIT_S = 60

NAMES = {
    "line_ns": "a cache line to another CPU",
    "line_far_ns": "to the farthest",
    "page_fault_ns": "a page fault (4 KiB)",
    "wake_up_ns": "a wake-up (futex)",
    "system_call_ns": "a system call",
}

# Metrics that say more in one of these than in ns: the charge, and its name.
UNITS = {
    "hot_p50_ns": ("line_ns", "lines"),
    "idle_p50_ns": ("wake_up_ns", "wake-ups"),
}


class Charges:
    """Machines change from hour to hour: so they are taken for each table,
    before and after its runs."""

    def __init__(self, folder):
        self.program = folder / "bench" / "machine" / "machine"
        self.values = {}  # charge -> what each measurement found

    def measure(self):
        """An older build has no such program: then nothing is known."""
        if not self.program.exists():
            return
        done = subprocess.run([str(self.program), str(N)],
                              capture_output=True, text=True, check=True,
                              timeout=TIME_LIMIT_S)
        for line in done.stdout.splitlines():
            name, value = line.split()
            self.values.setdefault(name, []).append(float(value))

    def text(self):
        """In words; empty: nothing is known."""
        said = []
        for name, words in NAMES.items():
            if name not in self.values:
                continue
            value = self.median(name)
            if name == "line_far_ns" and value < 1.5 * self.median("line_ns"):
                continue
            amount = (f"{value:.0f} ns" if value < 10000
                      else f"{value / 1000:.1f} us")
            said.append(f"{words} {amount}")
        return ", ".join(said)

    def median(self, name):
        return statistics.median(self.values[name])

    def in_units(self, metric, value):
        """Such as "3.7 lines"; empty: ns say all."""
        charge, unit = UNITS.get(metric, (None, None))
        if charge not in self.values:
            return ""
        return f"{value / self.median(charge):.1f} {unit}"
