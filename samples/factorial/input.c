/* SPDX-License-Identifier: MIT */
/*
 * Reads the batch and says where it is wrong. What is right is kept: one bad
 * word does not cost the rest.
 */
#include "input.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t\r\n\v\f";

/* Where a word stands, for messages. */
typedef struct position {
    const char *file;
    uint64_t line;
} position;

/* Input may hold anything: what could steer a terminal is shown as '?'. */
static void
report(input *in, const position *at, const char *word, const char *what)
{
    enum { SHOWN = 60 };
    fprintf(stderr, "%s:%llu: '", at->file, (unsigned long long)at->line);
    for (size_t i = 0; word[i] != '\0' && i < SHOWN; i++)
        fputc(iscntrl((unsigned char)word[i]) ? '?' : word[i], stderr);
    fprintf(stderr, "%s': %s\n", strlen(word) > SHOWN ? "..." : "", what);
    in->errors++;
}

static void
add_range(input *in, uint32_t first, uint32_t last)
{
    if (in->count == in->capacity) {
        size_t capacity = in->capacity > 0 ? 2 * in->capacity : 256;
        input_range *more = NULL;
        if (capacity <= SIZE_MAX / sizeof(*more))
            more = realloc(in->ranges, capacity * sizeof(*more));
        if (more == NULL) {
            fputs("factorial: no memory for the input\n", stderr);
            exit(EXIT_FAILURE);
        }
        in->ranges = more;
        in->capacity = capacity;
    }
    in->ranges[in->count++] = (input_range){first, last};
    in->numbers += (uint64_t)last - first + 1;
    if (last > in->largest)
        in->largest = last;
}

/* Reads digits; returns what follows them, or NULL: not a number we take. */
static const char *
parse_number(const char *text, uint32_t *number)
{
    uint32_t value = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++) {
        value = 10 * value + (uint32_t)(*p - '0');
        if (value > NUMBER_MAX)
            return NULL;
    }
    *number = value;
    return p == text ? NULL : p;
}

static void
add_word(input *in, const position *at, const char *word)
{
    uint32_t first, last;
    const char *rest = parse_number(word, &first);
    last = first;
    if (rest != NULL && *rest == '-')
        rest = parse_number(rest + 1, &last);
    if (rest == NULL || *rest != '\0')
        report(in, at, word, "not an integer from 0 to 10000000");
    else if (last < first)
        report(in, at, word, "the range runs backwards");
    else
        add_range(in, first, last);
}

static void
add_line(input *in, const position *at, char *line)
{
    char *rest;
    line[strcspn(line, "#")] = '\0';
    for (char *word = strtok_r(line, blanks, &rest); word != NULL;
         word = strtok_r(NULL, blanks, &rest))
        add_word(in, at, word);
}

void
input_add_argument(input *in, const char *text)
{
    const position at = {"arguments", 1};
    char *line = strdup(text);
    if (line == NULL) {
        fputs("factorial: no memory for the input\n", stderr);
        exit(EXIT_FAILURE);
    }
    add_line(in, &at, line);
    free(line);
}

static void
add_lines(input *in, FILE *file, const char *name)
{
    position at = {name, 0};
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    while ((length = getline(&line, &capacity, file)) >= 0) {
        at.line++;
        for (ssize_t i = 0; i < length; i++) /* binary data is told, too */
            if (line[i] == '\0')
                line[i] = '\x01';
        add_line(in, &at, line);
    }
    if (!feof(file)) {
        fprintf(stderr, "factorial: %s: %s\n", name, strerror(errno));
        in->errors++;
    }
    free(line);
}

void
input_add_file(input *in, const char *path)
{
    if (strcmp(path, "-") == 0) {
        add_lines(in, stdin, "stdin");
        return;
    }
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "factorial: %s: %s\n", path, strerror(errno));
        in->errors++;
        return;
    }
    add_lines(in, file, path);
    fclose(file);
}

bool
input_next(const input *in, input_cursor *at, uint32_t *n)
{
    if (at->range == in->count)
        return false;
    const input_range *range = &in->ranges[at->range];
    *n = range->first + at->offset;
    if (*n < range->last) {
        at->offset++;
    } else {
        at->range++;
        at->offset = 0;
    }
    return true;
}

uint32_t
input_number(const input *in, uint64_t index)
{
    const input_range *range = in->ranges;
    while (index > range->last - range->first) {
        index -= (uint64_t)range->last - range->first + 1;
        range++;
    }
    return range->first + (uint32_t)index;
}

void
input_fini(input *in)
{
    free(in->ranges);
    *in = (input){0};
}
