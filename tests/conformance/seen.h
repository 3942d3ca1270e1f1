/* SPDX-License-Identifier: MIT */
/*
 * A callback that looks at its future and writes down what it saw.
 */
#ifndef CF_TESTS_SEEN_H
#define CF_TESTS_SEEN_H

#include <unistd.h>

#include "tests/conformance/conformance.h"

/* What a callback saw. */
typedef struct seen {
    cf_future *f;
    cf_err result;
    cf_state state;
    int calls;
    pid_t thread;
} seen;

static inline void
look(cf_future *f, void *data)
{
    seen *s = data;
    s->f = f;
    s->result = cf_future_result(f, 0, NULL);
    s->state = cf_future_state(f);
    s->thread = gettid();
    s->calls++;
}

static inline void
expect_seen(const seen *s, cf_future *f, cf_err result, cf_state state)
{
    cr_assert(s->calls == 1, "%d calls", s->calls);
    cr_assert(s->f == f);
    cr_assert(s->result == result, "%s", cf_err_name(s->result));
    cr_assert(s->state == state);
}

#endif
