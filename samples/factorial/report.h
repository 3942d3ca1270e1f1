/* SPDX-License-Identifier: MIT */
/*
 * The report at the end.
 */
#ifndef FACTORIAL_REPORT_H
#define FACTORIAL_REPORT_H

#include "batch.h"

/* Prints it to standard error. */
void report_print(const batch_totals *totals,
                  const input *in,
                  const cf_executor *ex);

#endif
