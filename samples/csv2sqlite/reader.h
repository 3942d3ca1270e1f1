/* SPDX-License-Identifier: MIT */
/*
 * A file of CSV in pieces that end where a row ends. A quoted field may hold
 * line feeds. So a reader must have read all before a line to know which it is:
 * this part is not done in parallel.
 */
#ifndef CSV2SQLITE_READER_H
#define CSV2SQLITE_READER_H

#include "parse.h"
#include "report.h"

struct reader {
    const char *path; /* for messages */
    int fd;
    int ctrl_c;
    struct report *report;
    struct piece *piece; /* what is in hand: whole rows, and a bit behind */
    size_t size;         /* bytes in hand */
    bool ended;          /* there is no more in the file */
    bool skipping;       /* the rest of a line that is too long */
    off_t file_size;     /* 0: not known */
    off_t done;          /* bytes handed out */
};

/* "-": standard input. false, after a sentence: it cannot be read. */
bool reader_open(struct reader *reader, const char *path);

/* Finds the next piece: piece->text has piece->size bytes of whole rows, until
 * the next call. CF_OK, CF_EDONE; CF_EINTERRUPTED: Ctrl-C; CF_ESYS: errno. */
cf_err reader_next(struct reader *reader);

/* As reader_next(), before it: the piece is the file's first row. CF_ETOOBIG,
 * after a sentence: that row is too long. */
cf_err reader_first_row(struct reader *reader);

void reader_close(struct reader *reader);

#endif
