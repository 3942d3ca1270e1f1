/* SPDX-License-Identifier: MIT */
#include "csv.h"

#include <string.h>

/* The closing quote of a field that begins at at; NULL: there is none. */
static const char *
find_quote(const char *at, const char *end, bool *doubled)
{
    while ((at = memchr(at, '"', (size_t)(end - at))) != NULL) {
        if (at + 1 == end || at[1] != '"')
            break;
        *doubled = true;
        at += 2;
    }
    return at;
}

/* What comes behind a field. */
static enum csv_end
read_end(const char **at, const char *end)
{
    const char *next = *at;
    if (next < end && *next == '\r')
        next++;
    if (next == end)
        return CSV_OPEN;
    if (**at != ',' && *next != '\n')
        return CSV_BAD;
    *at = next + 1;
    return *next == '\n' ? CSV_LINE : CSV_COMMA;
}

static const char *
skip_plain(const char *at, const char *end)
{
    while (at < end && *at != ',' && *at != '\n' && *at != '"')
        at++;
    return at;
}

enum csv_end
csv_field(const char **at, const char *end, struct csv_field *field)
{
    const char *begin = *at, *next;
    *field = (struct csv_field){.quoted = begin < end && *begin == '"'};
    if (field->quoted) {
        next = find_quote(++begin, end, &field->doubled);
        if (!next)
            return CSV_OPEN;
        field->size = (size_t)(next++ - begin);
    } else {
        next = skip_plain(begin, end);
        if (next < end && *next == '\n' && next > begin && next[-1] == '\r')
            next--;
        field->size = (size_t)(next - begin);
    }
    field->text = begin;
    enum csv_end how = read_end(&next, end);
    if (how == CSV_COMMA || how == CSV_LINE)
        *at = next;
    return how;
}

enum csv_end
csv_row(const char **at, const char *end)
{
    const char *line = memchr(*at, '\n', (size_t)(end - *at));
    struct csv_field field;
    enum csv_end how = CSV_COMMA;
    if (line && !memchr(*at, '"', (size_t)(line - *at))) {
        *at = line + 1;
        return CSV_LINE;
    }
    while (how == CSV_COMMA)
        how = csv_field(at, end, &field);
    return how;
}

bool
csv_skip_line(const char **at, const char *end)
{
    const char *line = memchr(*at, '\n', (size_t)(end - *at));
    if (line)
        *at = line + 1;
    return line != NULL;
}

size_t
csv_copy(const struct csv_field *field, char *out)
{
    const char *from = field->text, *end = from + field->size;
    char *to = out;
    if (!field->doubled) {
        memcpy(out, from, field->size);
        return field->size;
    }
    while (from < end) {
        from += *from == '"'; /* the first of two */
        *to++ = *from++;
    }
    return (size_t)(to - out);
}
