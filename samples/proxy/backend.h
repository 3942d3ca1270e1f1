/* SPDX-License-Identifier: MIT */
/*
 * The servers behind the proxy: which is next, and which of them answer.
 */
#ifndef PROXY_BACKEND_H
#define PROXY_BACKEND_H

#include "copy.h"

struct backend {
    const char *address;
    bool down;                /* the last connection to it was refused */
    uint64_t served, refused; /* connections; the latter also of checks */
    uint64_t open;            /* ... of these, now */
    struct copied copied;
};

struct backends {
    struct backend *list;
    size_t count, next; /* who is asked next */
    int64_t connect_ns; /* a connection may take so long */
    int64_t check_ns;   /* so often each one is looked after */
};

/* Connects to the next one that answers. Those that were down are asked last:
 * perhaps they are up again. CF_ESYS, CF_ETIMEDOUT: none answers. */
cf_err backends_connect(cf_call *call,
                        struct backends *all,
                        struct backend **out,
                        cf_stream **server);

/* The task that looks after them, until it is told to stop. arg: a struct
 * backends *. */
int backends_check(cf_call *call, const void *arg, size_t arg_size);

/* A line for each of them. */
void backends_report(const struct backends *all);

#endif
