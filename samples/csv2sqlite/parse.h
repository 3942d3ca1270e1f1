/* SPDX-License-Identifier: MIT */
/*
 * The task: makes rows of values of a piece of CSV. Neither argument nor result
 * has a pointer in it, so it runs in a thread or in another process.
 */
#ifndef CSV2SQLITE_PARSE_H
#define CSV2SQLITE_PARSE_H

#include <cfutures/cfutures.h>

enum { PIECE = 1 << 20 }; /* bytes of text at most; so is no row longer */

/* The argument: whole rows. */
struct piece {
    uint64_t line;    /* of the file, from 1 */
    uint32_t columns; /* that a row has */
    uint32_t size;    /* bytes of text */
    char text[];
};

/* The result is a sequence of values, each a byte that says what it is and what
 * follows; so many values as there are columns are a row. A VALUE_BAD stands
 * for a row that is left out. */
enum {
    VALUE_NULL = 'n', /* nothing */
    VALUE_INT = 'i',  /* an int64_t */
    VALUE_REAL = 'r', /* a double */
    VALUE_TEXT = 't', /* an uint32_t: the size, and so many bytes */
    VALUE_BAD = 'b'   /* an uint64_t: the line, and a byte: an enum bad */
};

enum bad { BAD_QUOTE, BAD_OPEN, BAD_FEW, BAD_MANY, BAD_UTF8 };

/* A cf_task_fn. */
int parse_piece(cf_call *call, const void *arg, size_t arg_size);

/* A sentence. */
const char *bad_text(enum bad why);

#endif
