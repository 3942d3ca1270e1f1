/* SPDX-License-Identifier: MIT */
#include "urls.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where an address stands, for messages. */
struct position {
    const char *file;
    uint64_t line;
};

/* Input may hold anything: what could steer a terminal is shown as '?'. */
static void
complain(struct urls *urls, const struct position *at, const char *text)
{
    enum { SHOWN = 60 };
    fprintf(stderr, "%s:%llu: '", at->file, (unsigned long long)at->line);
    for (size_t i = 0; text[i] && i < SHOWN; i++)
        fputc(iscntrl((unsigned char)text[i]) ? '?' : text[i], stderr);
    fprintf(stderr,
            "%s': not an http or https URL\n",
            strlen(text) > SHOWN ? "..." : "");
    urls->errors++;
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
add(struct urls *urls, const struct position *at, const char *text)
{
    if (!is_url(text)) {
        complain(urls, at, text);
        return true;
    }
    if (urls->count == urls->room) {
        size_t room = urls->room ? 2 * urls->room : 64;
        char **more = reallocarray(urls->list, room, sizeof *more);
        if (!more)
            return false;
        urls->list = more;
        urls->room = room;
    }
    urls->list[urls->count] = strdup(text);
    return urls->list[urls->count] && ++urls->count;
}

bool
urls_add(struct urls *urls, const char *text, uint64_t nth)
{
    const struct position at = {"arguments", nth};
    return add(urls, &at, text);
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
add_lines(struct urls *urls, FILE *file, const char *name)
{
    struct position at = {name, 0};
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    bool good = true;
    while (good && (length = getline(&line, &room, file)) >= 0) {
        at.line++;
        for (ssize_t i = 0; i < length; i++) /* binary data is told, too */
            if (line[i] == '\0')
                line[i] = '\x01';
        const char *text = trim(line);
        if (*text && *text != '#')
            good = add(urls, &at, text);
    }
    if (good && !feof(file)) {
        fprintf(stderr, "%s: %s: %s\n", urls->program, name, strerror(errno));
        urls->errors++;
    }
    free(line);
    return good;
}

bool
urls_add_file(struct urls *urls, const char *path)
{
    if (strcmp(path, "-") == 0)
        return add_lines(urls, stdin, "stdin");
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "%s: %s: %s\n", urls->program, path, strerror(errno));
        urls->errors++;
        return true;
    }
    bool good = add_lines(urls, file, path);
    fclose(file);
    return good;
}

void
urls_fini(struct urls *urls)
{
    for (size_t i = 0; i < urls->count; i++)
        free(urls->list[i]);
    free(urls->list);
}
