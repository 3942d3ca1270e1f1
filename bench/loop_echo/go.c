/* SPDX-License-Identifier: MIT */
/* loop_echo in Go: serve.go, of which the build has made the program
 * BENCH_SERVE. */
#include "loop_echo/echo.h"

#include "common/bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const bool echo_can_await = false; /* it has no pool: goroutines compute */

void
echo_serve(int report, int connections, enum echo_load load)
{
    char report_text[16], connections_text[16];

    (void)load;
    snprintf(report_text, sizeof report_text, "%d", report);
    snprintf(connections_text, sizeof connections_text, "%d", connections);
    execl(
        BENCH_SERVE, BENCH_SERVE, report_text, connections_text, (char *)NULL);
    bench_die("%s: %s", BENCH_SERVE, strerror(errno));
}
