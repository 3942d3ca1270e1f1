/* SPDX-License-Identifier: MIT */
/*
 * What servers and their clients need of a command line: numbers, and
 * descriptors enough for a thousand connections.
 */
#ifndef COMMON_COMMAND_LINE_H
#define COMMON_COMMAND_LINE_H

#include <stdbool.h>

enum { WRONG_USAGE = 2 };

/* false, after a sentence on standard error: text is no number from least to
 * most. */
bool parse_number(const char *program,
                  const char *option,
                  const char *text,
                  long least,
                  long most,
                  long *out);

/* Lets the process have as many descriptors as it may. Without success there
 * are fewer connections. */
void allow_descriptors(void);

#endif
