/* SPDX-License-Identifier: MIT */
/*
 * Addresses, from arguments and files. All are read before the first page is
 * fetched, so that it is known how many there are. What is no address is told
 * on standard error; the rest is kept.
 */
#ifndef COMMON_URLS_H
#define COMMON_URLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct urls {
    const char *program; /* for what goes to standard error */
    char **list;
    size_t count, room;
    uint64_t errors;
};

/* The nth of the arguments that are URLs. false: no memory. Either way
 * urls_fini() follows. */
bool urls_add(struct urls *urls, const char *text, uint64_t nth);

/* The lines of a file; empty ones, and those that begin with #, mean nothing.
 * "-": standard input. */
bool urls_add_file(struct urls *urls, const char *path);

void urls_fini(struct urls *urls);

#endif
