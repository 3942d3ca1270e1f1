/* SPDX-License-Identifier: MIT */
#include "table.h"

#include "csv.h"
#include "parse.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

enum { BUSY_MS = 5000 };

/* --- begin and end -------------------------------------------------------- */

static bool
run(struct table *table, const char *sql, const char *name)
{
    char *text = sqlite3_mprintf(sql, name);
    bool done = text && sqlite3_exec(table->db, text, NULL, NULL, NULL) == 0;
    sqlite3_free(text);
    return done;
}

bool
table_open(struct table *table,
           const char *path,
           bool drop,
           struct report *report)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    bool done =
        sqlite3_open_v2(path, &table->db, flags, NULL) == 0 &&
        sqlite3_busy_timeout(table->db, BUSY_MS) == 0 &&
        run(table, "BEGIN IMMEDIATE", NULL) &&
        (!drop || run(table, "DROP TABLE IF EXISTS \"%w\"", table->name));
    if (!done)
        report_error(report, path, table_error(table));
    return done;
}

bool
table_commit(struct table *table)
{
    return run(table, "COMMIT", NULL);
}

const char *
table_error(const struct table *table)
{
    return table->db ? sqlite3_errmsg(table->db) : "out of memory";
}

void
table_close(struct table *table)
{
    (void)sqlite3_finalize(table->insert);
    (void)sqlite3_close(table->db);
    free(table->header);
}

/* --- the header ----------------------------------------------------------- */

/* Appends a name to a list of them. NULL, or a sentence. */
static const char *
add_name(sqlite3_str *names, const struct csv_field *field)
{
    char *name = malloc(field->size + 1);
    if (!name)
        return "out of memory";
    size_t size = csv_copy(field, name);
    name[size] = '\0';
    const char *why = NULL;
    if (size == 0)
        why = "a column has no name";
    else if (!is_utf8(name, size))
        why = "the name of a column is not UTF-8";
    else if (sqlite3_stricmp(name, "_rowid_") == 0)
        why = "a column is called _rowid_, as the database's own";
    else
        sqlite3_str_appendf(
            names, "%s\"%w\"", sqlite3_str_length(names) ? ", " : "", name);
    free(name);
    return why;
}

/* NULL, or a sentence. */
static const char *
read_names(struct table *table,
           const char *row,
           size_t size,
           sqlite3_str *names)
{
    const char *end = row + size, *why = NULL;
    enum csv_end how = CSV_COMMA;
    table->columns = 0;
    while (!why && how == CSV_COMMA) {
        struct csv_field field;
        how = csv_field(&row, end, &field);
        if (how == CSV_BAD || how == CSV_OPEN)
            why = bad_text(how == CSV_BAD ? BAD_QUOTE : BAD_OPEN);
        else
            why = add_name(names, &field);
        table->columns++;
    }
    return why;
}

static bool
prepare(struct table *table)
{
    sqlite3_str *sql = sqlite3_str_new(table->db);
    sqlite3_str_appendf(sql, "INSERT INTO \"%w\" VALUES (?", table->name);
    for (uint32_t i = 1; i < table->columns; i++)
        sqlite3_str_appendall(sql, ", ?");
    sqlite3_str_appendall(sql, ")");
    char *text = sqlite3_str_finish(sql);
    bool done = text && sqlite3_prepare_v2(
                            table->db, text, -1, &table->insert, NULL) == 0;
    sqlite3_free(text);
    return done;
}

/* Columns have no type: each value has its own. */
static bool
create(struct table *table, const char *names)
{
    char *sql = sqlite3_mprintf(
        "CREATE TABLE \"%w\" (%s)", table->name, names ? names : "");
    bool done = sql && names && run(table, "%s", sql) && prepare(table);
    sqlite3_free(sql);
    return done;
}

const char *
table_header(struct table *table, const char *row, size_t size)
{
    if (table->insert) {
        bool same =
            size == table->header_size && memcmp(row, table->header, size) == 0;
        return same ? NULL : "its columns are not those of the first file";
    }
    sqlite3_str *list = sqlite3_str_new(table->db);
    const char *why = read_names(table, row, size, list);
    char *names = sqlite3_str_finish(list);
    if (!why && !create(table, names))
        why = table_error(table);
    sqlite3_free(names);
    table->header = why ? NULL : malloc(size);
    if (!table->header)
        return why ? why : "out of memory";
    memcpy(table->header, row, size);
    table->header_size = size;
    return NULL;
}

/* --- rows ----------------------------------------------------------------- */

/* Gives a value to the statement; returns what is behind it. Text stays where
 * it is. */
static const char *
bind(sqlite3_stmt *insert, int column, const char *at)
{
    int64_t number;
    double real;
    uint32_t size;
    switch (*at++) {
    case VALUE_INT:
        memcpy(&number, at, sizeof number);
        (void)sqlite3_bind_int64(insert, column, number);
        return at + sizeof number;
    case VALUE_REAL:
        memcpy(&real, at, sizeof real);
        (void)sqlite3_bind_double(insert, column, real);
        return at + sizeof real;
    case VALUE_TEXT:
        memcpy(&size, at, sizeof size);
        at += sizeof size;
        (void)sqlite3_bind_text(insert, column, at, (int)size, SQLITE_STATIC);
        return at + size;
    default:
        (void)sqlite3_bind_null(insert, column);
        return at;
    }
}

static const char *
tell_bad(const char *at, const char *path, struct report *report)
{
    uint64_t line;
    memcpy(&line, at + 1, sizeof line);
    at += 1 + sizeof line;
    report_bad_row(report, path, line, bad_text((enum bad) * at));
    return at + 1;
}

bool
table_insert(struct table *table,
             cf_bytes values,
             const char *path,
             struct report *report)
{
    const char *at = values.data, *end = at + values.size;
    while (at < end) {
        if (*at == VALUE_BAD) {
            at = tell_bad(at, path, report);
            continue;
        }
        for (uint32_t i = 1; i <= table->columns; i++)
            at = bind(table->insert, (int)i, at);
        if (sqlite3_step(table->insert) != SQLITE_DONE ||
            sqlite3_reset(table->insert) != SQLITE_OK)
            return false;
        report->rows++;
    }
    return true;
}
