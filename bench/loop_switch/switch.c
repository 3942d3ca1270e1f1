/* SPDX-License-Identifier: MIT */
/*
 * Coroutines that do nothing but let the others run: nanoseconds from one to
 * the next, among 2 and among 1000.
 */
#include "loop_switch/switch.h"

#include "common/two_sizes.h"

int
main(int argc, char **argv)
{
    bench_options options = bench_parse(argc, argv, 5000000);

    two_sizes_measure(&options, "ns_per_switch", 2, switch_ns);
    return 0;
}
