/* SPDX-License-Identifier: MIT */
/* Objects that count how many of them there are. */
#ifndef CF_TESTS_CONFORMANCE_TOKEN_H
#define CF_TESTS_CONFORMANCE_TOKEN_H

#include <stdatomic.h>
#include <string.h>

#include <cfutures/cfutures.h>

/* An object that counts. It owns its counter while alive is set. */
typedef struct token {
    atomic_int *alive; /* NULL: it has been moved from */
    int number;
} token;

typedef struct large_token {
    token token;
    char padding[200];
} large_token;

static inline token
token_new(atomic_int *alive, int number)
{
    atomic_fetch_add(alive, 1);
    return (token){alive, number};
}

static inline void
token_destroy(void *object)
{
    const token *t = object;
    if (t->alive)
        atomic_fetch_sub(t->alive, 1);
}

static inline void
token_move(void *to, void *from)
{
    token *old = from;
    *(token *)to = *old;
    old->alive = NULL;
}

static inline void
large_token_move(void *to, void *from)
{
    memcpy(to, from, sizeof(large_token));
    ((token *)from)->alive = NULL;
}

static const cf_object_ops token_ops = {
    sizeof(token), token_move, token_destroy};
static const cf_object_ops large_token_ops = {
    sizeof(large_token), large_token_move, token_destroy};

#endif
