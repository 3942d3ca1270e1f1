/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors, whatever has become of the limits. */
#ifndef CF_PROCESS_POOL_AWAIT_H
#define CF_PROCESS_POOL_AWAIT_H

#include <poll.h>
#include <stdint.h>

/* So long is what cannot be waited for left alone, before another look. */
#define CF__NAP_NS INT64_C(10000000)

/*
 * As ppoll(), with limit_ns (CF__NEVER: no limit), for a few descriptors. A
 * limit on descriptors (RLIMIT_NOFILE) below count does not matter; and no
 * failure but EINTR comes back at once, so that nobody who asks again and again
 * takes a CPU. Async-signal-safe.
 */
int cf__await(struct pollfd *polled, unsigned count, int64_t limit_ns);

#endif
