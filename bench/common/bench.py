# SPDX-License-Identifier: MIT
"""What the Python peers need: arguments, the empty task, output lines."""

import sys

MASK = (1 << 64) - 1
SKIPPED = 77  # the exit status that tells bench/run so


def parse(n):
    """Reads [n] [workers] [rounds] as the C programs do."""
    values = [n, 2, 5]
    if len(sys.argv) > len(values) + 1:
        sys.exit(f"usage: {sys.argv[0]} [n] [workers] [rounds]")
    for i, text in enumerate(sys.argv[1:]):
        if not text.isdecimal() or int(text) == 0:
            sys.exit(f"'{text}': not a number from 1")
        values[i] = int(text)
    return values


def skip(reason):
    print(reason, file=sys.stderr)
    sys.exit(SKIPPED)


def echo(arg):
    return ~arg & MASK


def args_of(n, round_number):
    """Arguments that no other index and no other round has."""
    return [i << 16 | round_number for i in range(n)]


def check(args, results):
    """Ends the program unless results are those of args."""
    if results != [echo(arg) for arg in args]:
        sys.exit("a task did not run or gave a wrong result")


def percentile(values, fraction):
    return sorted(values)[int(fraction * (len(values) - 1) + 0.5)]


def metric(name, value):
    print(f"{name} {value:.6g}")
