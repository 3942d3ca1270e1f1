/* SPDX-License-Identifier: MIT */
/* Text as a database wants it. */
#ifndef CSV2SQLITE_UTF8_H
#define CSV2SQLITE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* It is UTF-8, and has no NUL in it. */
bool is_utf8(const char *text, size_t size);

#endif
