/* SPDX-License-Identifier: MIT */
/*
 * A getaddrinfo() that knows names of the test's own, some of which are never
 * answered. Linking fake_names.c into a program puts it in front of the C
 * library's, which gets all other names.
 */
#ifndef CF_TESTS_FAKE_NAMES_H
#define CF_TESTS_FAKE_NAMES_H

#include <stddef.h>

#include "tests/support/gate.h"

struct fake_name {
    const char *host;
    gate *gate; /* the look-up passes it before it answers; NULL: at once */
    int status; /* EAI_...; 0: the addresses */
    int error;  /* errno with it */
    const struct fake_address {
        const char *ip;
        unsigned short port; /* 0: the service, a number */
    } * addresses;
    size_t count;
};

/* Not while a look-up is under way. names stays the caller's. */
void fake_names_use(const struct fake_name *names, size_t count);

/* Lookups that are under way now in threads of the library's. */
size_t fake_names_threads(void);

#endif
