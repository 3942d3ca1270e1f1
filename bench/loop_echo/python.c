/* SPDX-License-Identifier: MIT */
/*
 * loop_echo in Python: serve.py, run by the system's Python. BENCH_ECHO says
 * which server it is: "streams" or "protocol" of asyncio, or "uvloop".
 */
#include "loop_echo/echo.h"

#include "common/bench.h"

#include <stdio.h>
#include <unistd.h>

void
echo_serve(int report, int connections)
{
    char report_text[16], connections_text[16];
    const char *python =
        access("/usr/bin/python3", X_OK) == 0 ? "/usr/bin/python3" : "python3";

    snprintf(report_text, sizeof report_text, "%d", report);
    snprintf(connections_text, sizeof connections_text, "%d", connections);
    execlp(python,
           python,
           BENCH_SERVE,
           BENCH_ECHO,
           report_text,
           connections_text,
           (char *)NULL);
    fputs("no Python\n", stderr);
    _exit(77);
}
