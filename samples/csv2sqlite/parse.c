/* SPDX-License-Identifier: MIT */
#include "parse.h"

#include "csv.h"
#include "utf8.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A byte of text makes at most so many of values: "1" and a comma are 9 bytes,
 * "a" and a comma 6, a bad row of a byte and a line feed 10. SLACK is for a
 * last row without line feed. */
enum { GROWTH = 5, SLACK = 16 };

const char *
bad_text(enum bad why)
{
    static const char *const texts[] = {
        [BAD_QUOTE] = "a quote where none may be",
        [BAD_OPEN] = "a quote that is not closed",
        [BAD_FEW] = "too few fields",
        [BAD_MANY] = "too many fields",
        [BAD_UTF8] = "not UTF-8",
    };
    return texts[why];
}

/* --- values --------------------------------------------------------------- */

static char *
put(char *out, char kind, const void *data, size_t size)
{
    *out = kind;
    memcpy(out + 1, data, size);
    return out + 1 + size;
}

static const char *
skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* A number as JSON writes it: 007 and +1 are text, as telephone numbers are.
 * A field is followed by a comma, a quote or the end of a line, so strtod()
 * ends there. */
static char
number_kind(const struct csv_field *field)
{
    const char *at = field->text, *end = at + field->size;
    at += at < end && *at == '-';
    const char *digits = at;
    at = skip_digits(at, end);
    if (at == digits || (*digits == '0' && at > digits + 1))
        return VALUE_TEXT;
    if (at == end)
        return VALUE_INT;
    if (*at == '.') {
        const char *fraction = ++at;
        at = skip_digits(at, end);
        if (at == fraction)
            return VALUE_TEXT;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        if (skip_digits(at, end) == at)
            return VALUE_TEXT;
        at = skip_digits(at, end);
    }
    return at == end ? VALUE_REAL : VALUE_TEXT;
}

/* What does not fit into a number stays text, so no digit is lost. */
static char *
put_value(char *out, const struct csv_field *field)
{
    char kind = number_kind(field);
    errno = 0;
    if (kind == VALUE_INT) {
        int64_t number = strtoll(field->text, NULL, 10);
        if (!errno)
            return put(out, kind, &number, sizeof number);
    } else if (kind == VALUE_REAL) {
        double number = strtod(field->text, NULL);
        if (isfinite(number))
            return put(out, kind, &number, sizeof number);
    } else if (!field->quoted && !field->size) {
        *out = VALUE_NULL;
        return out + 1;
    }
    char *text = out + 1 + sizeof(uint32_t);
    uint32_t size = (uint32_t)csv_copy(field, text);
    (void)put(out, VALUE_TEXT, &size, sizeof size);
    return text + size;
}

/* --- rows ----------------------------------------------------------------- */

struct parser {
    const struct piece *piece;
    const char *at, *end;
    const char *counted; /* up to here line counts */
    uint64_t line;
};

/* The line of a place behind the one before. */
static uint64_t
line_of(struct parser *p, const char *place)
{
    while (csv_skip_line(&p->counted, place))
        p->line++;
    p->counted = place;
    return p->line;
}

/* Moves behind the row, and *out behind its values. false: it is bad. */
static bool
parse_row(struct parser *p, char **out, enum bad *why)
{
    const char *row = p->at;
    char *to = *out;
    uint32_t fields = 0;
    enum csv_end how = CSV_COMMA;
    while (how == CSV_COMMA) {
        struct csv_field field;
        how = csv_field(&p->at, p->end, &field);
        if (how == CSV_BAD || how == CSV_OPEN) {
            *why = how == CSV_BAD ? BAD_QUOTE : BAD_OPEN;
            if (!csv_skip_line(&p->at, p->end))
                p->at = p->end;
            return false;
        }
        if (fields++ < p->piece->columns)
            to = put_value(to, &field);
    }
    *why = fields < p->piece->columns ? BAD_FEW : BAD_MANY;
    if (fields != p->piece->columns)
        return false;
    *why = BAD_UTF8;
    if (!is_utf8(row, (size_t)(p->at - row)))
        return false;
    *out = to;
    return true;
}

/* An empty line is a row only where a row is one field. */
static bool
skip_empty(struct parser *p)
{
    const char *at = p->at;
    at += *at == '\r';
    if (p->piece->columns == 1 || at == p->end || *at != '\n')
        return false;
    p->at = at + 1;
    return true;
}

int
parse_piece(cf_call *call, const void *arg, size_t arg_size)
{
    const struct piece *piece = arg;
    struct parser p = {.piece = piece,
                       .at = piece->text,
                       .end = piece->text + piece->size,
                       .counted = piece->text,
                       .line = piece->line};
    (void)arg_size;
    char *begin = cf_return_buffer(call, GROWTH * (size_t)piece->size + SLACK);
    char *out = begin;
    if (!out)
        return cf_fail(call, CF_ENOMEM, "no memory for a piece");
    while (p.at < p.end) {
        const char *row = p.at;
        enum bad why = BAD_QUOTE;
        if (skip_empty(&p) || parse_row(&p, &out, &why))
            continue;
        uint64_t line = line_of(&p, row);
        out = put(out, VALUE_BAD, &line, sizeof line);
        *out++ = (char)why;
    }
    return (int)cf_return_resize(call, (size_t)(out - begin));
}
