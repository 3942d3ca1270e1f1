/* SPDX-License-Identifier: MIT */
/*
 * A call that blocks its thread, made by a coroutine: it runs in a thread of
 * its own, and the coroutine lets others run meanwhile. README.md, "Calls that
 * block".
 */
#ifndef CF_LIB_EXECUTOR_ASIDE_H
#define CF_LIB_EXECUTOR_ASIDE_H

#include <stdbool.h>

/* true: fn(data) has run in another thread. Neither an interrupt nor a scope
 * ends the wait for it. false: the caller is no coroutine, or no thread could
 * be started: it calls fn itself. */
bool cf__run_aside(void (*fn)(void *data), void *data);

#endif
