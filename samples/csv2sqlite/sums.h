/* SPDX-License-Identifier: MIT */
/* A query in parallel: what a table's numbers add up to. */
#ifndef CSV2SQLITE_SUMS_H
#define CSV2SQLITE_SUMS_H

#include "part.h"

/* Adds up each column, with as many workers of the same kind as like has. sums
 * has room for all columns, and is zero. CF_OK; CF_EINTERRUPTED: Ctrl-C; else
 * an error, after a sentence on standard error. */
cf_err sum_columns(const cf_executor *like,
                   const struct query *query,
                   int ctrl_c,
                   struct sum *sums);

#endif
