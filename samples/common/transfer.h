/* SPDX-License-Identifier: MIT */
/*
 * One URL, with a time limit for each try and tries enough. Plain code that
 * waits: in an event loop the other tasks go on meanwhile, on a thread pool the
 * other threads do.
 */
#ifndef COMMON_TRANSFER_H
#define COMMON_TRANSFER_H

#include <cfutures/task.h>

#include <curl/curl.h>

struct transfer_limits {
    int64_t timeout_ns; /* of a try */
    int retries;        /* after a time-out, a connection that breaks, or a
                           status from 500 */
};

struct transfer {
    cf_err err; /* CF_OK, CF_ETIMEDOUT, or why no try was possible */
    CURLcode code;
    long status;         /* of the last try */
    int64_t duration_ns; /* of all tries, with the pauses between them */
    int tries;
};

/* A handle that follows redirections, to http and https only. program: how it
 * calls itself. NULL: no memory. The caller adds what gets the data, and cleans
 * it up. */
CURL *transfer_easy(const char *url, const char *program);

/* Tries until it is good, or another try would not help. begin(data) is called
 * before each try: what came of the one before is no part of it. */
void transfer_run(cf_call *call,
                  CURL *easy,
                  const struct transfer_limits *limits,
                  void (*begin)(void *data),
                  void *data,
                  struct transfer *out);

/* It has come, and is no page about an error. */
bool transfer_is_good(const struct transfer *transfer);

/* Why it is not good; text has room for what is not lent. */
enum { TRANSFER_WHY = 32 };
const char *transfer_why(const struct transfer *transfer,
                         char text[TRANSFER_WHY]);

#endif
