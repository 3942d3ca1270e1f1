/* SPDX-License-Identifier: MIT */
/* Spans of time: on a command line (20ms, 1.5s, 3m), and measured. */
#ifndef COMMON_DURATION_H
#define COMMON_DURATION_H

#include <stdbool.h>
#include <stdint.h>

/* false: text is no duration from a millisecond to a day. */
bool parse_duration(const char *text, int64_t *out_ns);

/* A clock that only goes forward. */
int64_t now_ns(void);

#endif
