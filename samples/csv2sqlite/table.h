/* SPDX-License-Identifier: MIT */
/*
 * The table, and the one connection that writes it. All is one transaction:
 * until table_commit() no other connection sees any of it.
 */
#ifndef CSV2SQLITE_TABLE_H
#define CSV2SQLITE_TABLE_H

#include "report.h"

#include <cfutures/error.h>

#include <sqlite3.h>

struct table {
    const char *name;
    sqlite3 *db;
    sqlite3_stmt *insert; /* NULL: there is no table yet */
    uint32_t columns;
    char *header; /* the row of names, as the file has it */
    size_t header_size;
};

/* Opens the database and begins. drop: a table of the name, if there is one.
 * false, after a sentence. */
bool table_open(struct table *table,
                const char *path,
                bool drop,
                struct report *report);

/* Makes the table of the first header; later ones are compared with it. NULL,
 * or a sentence, lent: the header does not fit. */
const char *table_header(struct table *table, const char *row, size_t size);

/* Inserts the values of a result of parse.h. path: for bad rows. false: the
 * database has refused one. */
bool table_insert(struct table *table,
                  cf_bytes values,
                  const char *path,
                  struct report *report);

/* Ends the transaction. false: nothing has been stored. */
bool table_commit(struct table *table);

/* Why. */
const char *table_error(const struct table *table);

/* What has not been committed is gone. */
void table_close(struct table *table);

#endif
