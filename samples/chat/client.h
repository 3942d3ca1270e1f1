/* SPDX-License-Identifier: MIT */
/*
 * One client of the server: its connection, its name, and what it says.
 */
#ifndef CHAT_CLIENT_H
#define CHAT_CLIENT_H

#include "../common/serve.h"
#include "room.h"

struct server {
    struct house house;
    size_t queue;    /* lines that wait for a client at most */
    int64_t ping_ns; /* a client that is silent for so long is asked whether it
                        is there; for twice as long: it is dropped */
    uint64_t clients, dropped; /* so far; and lines that were dropped */
};

/* The task of one client. arg: a struct guest of a struct server. */
int client_serve(cf_call *call, const void *arg, size_t arg_size);

#endif
