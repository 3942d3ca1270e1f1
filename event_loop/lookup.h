/* SPDX-License-Identifier: MIT */
/* Addresses of an endpoint, which may have to be asked for. */
#ifndef CF_EVENT_LOOP_LOOKUP_H
#define CF_EVENT_LOOP_LOOKUP_H

#include "event_loop/address.h"
#include "event_loop/io.h"

/* In the order in which they are to be tried. */
struct cf__addresses {
    size_t count; /* at least 1 */
    struct cf__address at[CF__ADDRESSES_MAX];
};

/*
 * socket_type: SOCK_STREAM or SOCK_DGRAM. A name suspends the task.
 * CF_OK, CF_ETIMEDOUT, CF_EINTERRUPTED, CF_ENOMEM, CF_ESYS.
 */
cf_err cf__lookup(struct cf__evloop *loop,
                  const struct cf__endpoint *endpoint,
                  int socket_type,
                  int64_t deadline_ns,
                  struct cf__addresses *out);

#endif
