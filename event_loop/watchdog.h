/* SPDX-License-Identifier: MIT */
/*
 * What a loop and its watchdog share. The watchdog is a thread that looks now
 * and then whether the loop's thread has got on, and says so if it has not:
 * README.md, "The watchdog".
 */
#ifndef CF_EVENT_LOOP_WATCHDOG_H
#define CF_EVENT_LOOP_WATCHDOG_H

#include "lib/base/atomic.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* The values of at_work. */
enum {
    CF__WATCH_WORKS = 0,
    CF__WATCH_RESTS = 1, /* the loop's thread sleeps: nothing to look at */
    CF__WATCH_ALONE = 2  /* ... and the watchdog sleeps, too */
};

struct cf__watchdog {
    /* The loop's thread's. */
    bool on; /* its thread has been started, and not joined */
    pthread_t thread;

    /* Set before its thread starts. */
    int64_t stall_ns;
    clockid_t cpu_clock; /* of the loop's thread */
    bool has_cpu_clock;

    /* Atomic. The loop's thread rests and works; the watchdog turns RESTS into
     * ALONE and sleeps on it; the loop's thread then wakes it. */
    _Atomic uint32_t at_work;
    /* Atomic. 1: the watchdog reads the task that runs, which must not end. It
     * sets and clears it; the loop's thread sleeps on it. */
    _Atomic uint32_t looking;
    _Atomic uint32_t over;      /* 1: end. The watchdog sleeps on it */
    _Atomic int64_t longest_ns; /* the longest run that it has seen */
};

#endif
