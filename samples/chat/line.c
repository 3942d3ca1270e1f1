/* SPDX-License-Identifier: MIT */
#include "line.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void
make_harmless(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        if ((byte < ' ' && byte != '\t') || byte == 127)
            text[i] = '?';
    }
}

struct line *
line_new(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0)
        return NULL;
    struct line *line = malloc(sizeof *line + (size_t)size + 1);
    if (!line)
        return NULL;
    va_start(args, format);
    (void)vsnprintf(line->text, (size_t)size + 1, format, args);
    va_end(args);
    make_harmless(line->text, (size_t)size);
    line->text[size] = '\n'; /* instead of the zero */
    line->size = (size_t)size + 1;
    line->users = 1;
    return line;
}

void
line_drop(struct line *line)
{
    if (line && --line->users == 0)
        free(line);
}
