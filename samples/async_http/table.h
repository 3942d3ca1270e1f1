/* SPDX-License-Identifier: MIT */
/*
 * The table on standard error while pages are fetched, if that is a terminal;
 * otherwise these functions do nothing.
 */
#ifndef ASYNC_HTTP_TABLE_H
#define ASYNC_HTTP_TABLE_H

#include "report.h"

typedef struct table {
    bool enabled;
    bool visible;       /* it is in the terminal's last lines */
    bool shares_screen; /* standard output is a terminal as well */
    size_t total;
    int64_t drawn_ns;
    uint64_t drawn_bytes;
    double rate; /* bytes per second since it was drawn before */
} table;

void table_init(table *t, size_t total);

/* Draws it, at most ten times a second. */
void table_draw(table *t, const report *r, const fetch_common *common);

/* Call before printing: gives up the lines if output goes to them as well. */
void table_make_room(table *t);

/* Takes the table away. */
void table_fini(table *t);

#endif
