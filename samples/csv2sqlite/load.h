/* SPDX-License-Identifier: MIT */
/*
 * From files to the table. This thread reads, and writes what workers have made
 * of what it has read; the rows of a file come in no order.
 */
#ifndef CSV2SQLITE_LOAD_H
#define CSV2SQLITE_LOAD_H

#include "report.h"
#include "table.h"

#include <cfutures/cfutures.h>

struct load {
    cf_executor *ex;
    int ctrl_c;
    struct table *table;
    struct report *report;
};

/* Loads a file; one that cannot be used is reported and left out. false, after
 * a sentence: nothing more can be done, so the table must not be committed.
 * *stopped: because of Ctrl-C, without a sentence. */
bool load_file(const struct load *load, const char *path, bool *stopped);

#endif
