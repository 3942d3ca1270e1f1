/* SPDX-License-Identifier: MIT */
#include "input.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where an address stands, for messages. */
typedef struct position {
    const char *file;
    uint64_t line;
} position;

/* Input may hold anything: what could steer a terminal is shown as '?'. */
static void
complain(input *in, const position *at, const char *text)
{
    enum { SHOWN = 60 };
    fprintf(stderr, "%s:%llu: '", at->file, (unsigned long long)at->line);
    for (size_t i = 0; text[i] && i < SHOWN; i++)
        fputc(iscntrl((unsigned char)text[i]) ? '?' : text[i], stderr);
    fprintf(stderr,
            "%s': not an http or https URL\n",
            strlen(text) > SHOWN ? "..." : "");
    in->errors++;
}

static bool
has_scheme(CURLU *url)
{
    char *scheme = NULL;
    if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0))
        return false;
    bool known = strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0;
    curl_free(scheme);
    return known;
}

/* It ends up in lines of output: so no control characters either. */
static bool
is_url(const char *text)
{
    for (const char *c = text; *c; c++)
        if (iscntrl((unsigned char)*c))
            return false;
    CURLU *url = curl_url();
    bool good =
        url && !curl_url_set(url, CURLUPART_URL, text, 0) && has_scheme(url);
    curl_url_cleanup(url);
    return good;
}

static bool
add(input *in, const position *at, const char *text)
{
    if (!is_url(text)) {
        complain(in, at, text);
        return true;
    }
    if (in->count == in->capacity) {
        size_t capacity = in->capacity ? 2 * in->capacity : 64;
        char **more = reallocarray(in->urls, capacity, sizeof *more);
        if (!more)
            return false;
        in->urls = more;
        in->capacity = capacity;
    }
    in->urls[in->count] = strdup(text);
    return in->urls[in->count] && ++in->count;
}

/* Cuts off blanks at both ends. */
static char *
trim(char *line)
{
    while (isspace((unsigned char)*line))
        line++;
    size_t size = strlen(line);
    while (size > 0 && isspace((unsigned char)line[size - 1]))
        size--;
    line[size] = '\0';
    return line;
}

static bool
add_lines(input *in, FILE *file, const char *name)
{
    position at = {name, 0};
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    bool good = true;
    while (good && (length = getline(&line, &capacity, file)) >= 0) {
        at.line++;
        for (ssize_t i = 0; i < length; i++) /* binary data is told, too */
            if (line[i] == '\0')
                line[i] = '\x01';
        const char *text = trim(line);
        if (*text && *text != '#')
            good = add(in, &at, text);
    }
    if (good && !feof(file)) {
        fprintf(stderr, "async_http: %s: %s\n", name, strerror(errno));
        in->errors++;
    }
    free(line);
    return good;
}

static bool
add_file(input *in, const char *path)
{
    if (strcmp(path, "-") == 0)
        return add_lines(in, stdin, "stdin");
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "async_http: %s: %s\n", path, strerror(errno));
        in->errors++;
        return true;
    }
    bool good = add_lines(in, file, path);
    fclose(file);
    return good;
}

bool
input_read(input *in, const options *opts)
{
    position at = {"arguments", 0};
    *in = (input){0};
    for (size_t i = 0; i < opts->source_count; i++) {
        const source *from = &opts->sources[i];
        if (!from->is_file)
            at.line++;
        if (!(from->is_file ? add_file(in, from->text)
                            : add(in, &at, from->text)))
            return false;
    }
    return true;
}

void
input_fini(input *in)
{
    for (size_t i = 0; i < in->count; i++)
        free(in->urls[i]);
    free(in->urls);
}
