/* SPDX-License-Identifier: MIT */
/*
 * loop_echo in Python: serve.py, run by the system's Python. BENCH_ECHO says
 * which server it is: "streams" or "protocol" of asyncio, or "uvloop".
 */
#include "loop_echo/echo.h"

#include "common/bench.h"

#include <stdio.h>
#include <unistd.h>

const bool echo_can_await = true;

void
echo_serve(int report, int connections, enum echo_load load)
{
    static const char *const loads[] = {"alone", "blocked", "computing"};
    char report_text[16], connections_text[16], cpu_text[16];
    const char *python =
        access("/usr/bin/python3", X_OK) == 0 ? "/usr/bin/python3" : "python3";

    snprintf(report_text, sizeof report_text, "%d", report);
    snprintf(connections_text, sizeof connections_text, "%d", connections);
    snprintf(cpu_text, sizeof cpu_text, "%d", echo_pool_cpu());
    execlp(python,
           python,
           BENCH_SERVE,
           BENCH_ECHO,
           report_text,
           connections_text,
           loads[load],
           cpu_text,
           (char *)NULL);
    fputs("no Python\n", stderr);
    _exit(77);
}
