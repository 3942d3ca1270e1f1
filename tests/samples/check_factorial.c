/* SPDX-License-Identifier: MIT */
/*
 * Checks the output of samples/factorial against GMP's own factorial.
 *
 * usage: check_factorial value|digits|checksum COUNT [TOTAL] <output
 *
 * Fails unless there are COUNT lines, all of them right, and, if TOTAL is
 * given, it is the sum of the checksums. Everything is computed in the plainest
 * way there is, and in another one than in the sample.
 */
#include <gmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
must(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "check_factorial: %s\n", what);
        exit(1);
    }
}

static uint64_t
checksum(const mpz_t value)
{
    size_t count;
    uint64_t hash = UINT64_C(14695981039346656037);
    unsigned char *bytes = mpz_export(NULL, &count, 1, 1, 1, 0, value);
    must(bytes != NULL, "no memory");
    for (size_t i = 0; i < count; i++) {
        hash ^= bytes[i];
        hash *= UINT64_C(1099511628211);
    }
    free(bytes);
    return hash;
}

/* What the sample must have printed after the number and the space. */
static char *
expected_text(const char *mode, const mpz_t value, uint64_t *total)
{
    enum { SHORT_SIZE = 32 };
    uint64_t hash = checksum(value);
    *total += hash;
    char *text = NULL;
    if (strcmp(mode, "checksum") != 0)
        text = mpz_get_str(NULL, 10, value);
    if (strcmp(mode, "value") == 0)
        return text;
    char *shorter = malloc(SHORT_SIZE);
    must(shorter != NULL, "no memory");
    if (text != NULL)
        snprintf(shorter, SHORT_SIZE, "%zu", strlen(text));
    else
        snprintf(shorter, SHORT_SIZE, "%016llx", (unsigned long long)hash);
    free(text);
    return shorter;
}

int
main(int argc, char **argv)
{
    char *line = NULL;
    size_t capacity = 0, lines = 0;
    ssize_t length;
    uint64_t total = 0;
    mpz_t value;
    must(argc >= 3, "usage: check_factorial MODE COUNT [TOTAL] <output");
    mpz_init(value);
    while ((length = getline(&line, &capacity, stdin)) > 0) {
        char *rest;
        must(line[length - 1] == '\n', "the last line is cut off");
        line[length - 1] = '\0';
        unsigned long n = strtoul(line, &rest, 10);
        must(rest != line && *rest == ' ', "not a number and a space");
        mpz_fac_ui(value, n);
        char *expected = expected_text(argv[1], value, &total);
        if (strcmp(rest + 1, expected) != 0) {
            fprintf(stderr, "%lu: not %.100s\n", n, expected);
            return 1;
        }
        free(expected);
        lines++;
    }
    mpz_clear(value);
    free(line);
    must(lines == strtoul(argv[2], NULL, 10), "not as many lines");
    if (argc > 3)
        must(total == strtoull(argv[3], NULL, 16), "not this total");
    return 0;
}
