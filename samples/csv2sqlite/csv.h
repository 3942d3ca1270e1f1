/* SPDX-License-Identifier: MIT */
/*
 * CSV as RFC 4180 has it, field by field. Text is cut into pieces and parsed by
 * these functions, so both agree on where a row ends.
 */
#ifndef CSV2SQLITE_CSV_H
#define CSV2SQLITE_CSV_H

#include <stdbool.h>
#include <stddef.h>

struct csv_field {
    const char *text; /* without the quotes around it */
    size_t size;
    bool quoted;
    bool doubled; /* "" in it stands for one quote */
};

enum csv_end {
    CSV_COMMA, /* another field follows */
    CSV_LINE,  /* it was the last one of its row */
    CSV_BAD,   /* a quote is where none may be */
    CSV_OPEN   /* the text ends in it */
};

/* Reads the field at *at. CSV_COMMA and CSV_LINE: *at is behind it; else it
 * stays. */
enum csv_end
csv_field(const char **at, const char *end, struct csv_field *field);

/* Goes over the row at *at. CSV_LINE: *at is behind it; CSV_BAD and CSV_OPEN:
 * at the field that is so. */
enum csv_end csv_row(const char **at, const char *end);

/* Goes behind the next line feed, where the row after a bad one begins. false:
 * there is none. */
bool csv_skip_line(const char **at, const char *end);

/* Copies a field to out, which has room for its size; returns how many bytes
 * it takes. */
size_t csv_copy(const struct csv_field *field, char *out);

#endif
