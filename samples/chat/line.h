/* SPDX-License-Identifier: MIT */
/*
 * Lines of text, shared by all outboxes that they are in. They are counted
 * without atomics: all tasks that use them are on one thread.
 */
#ifndef CHAT_LINE_H
#define CHAT_LINE_H

#include <stddef.h>

struct line {
    unsigned users;
    size_t size; /* the '\n' included */
    char text[];
};

/* A new line of what printf would print, and a '\n'. Bytes that would control a
 * terminal become '?'. NULL: no memory. The caller is its first user. */
struct line *line_new(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Ends one use; NULL is fine. */
void line_drop(struct line *line);

#endif
