/* SPDX-License-Identifier: MIT */
/* Sockets with an address of their own, before libuv has them. Nothing here
 * waits. */
#ifndef CF_EVENT_LOOP_SOCKET_H
#define CF_EVENT_LOOP_SOCKET_H

#include "event_loop/address.h"

#include <sys/stat.h>

/* Which file a Unix socket has made, so that no other one is removed. */
struct cf__socket_path {
    char text[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* empty: none */
    dev_t device;
    ino_t node;
};

/*
 * A non-blocking socket with that address. A Unix socket that nobody listens
 * on any more is replaced. type: SOCK_STREAM or SOCK_DGRAM.
 * CF_OK, CF_ESYS.
 */
cf_err cf__socket_bind(const struct cf__address *address,
                       int type,
                       bool reuse_port,
                       int *fd,
                       struct cf__socket_path *path);

/* Removes the file, if it is still that one. */
void cf__socket_unlink(const struct cf__socket_path *path);

/* The text of the socket's own address: as cf__address_text(), or CF_ESYS. */
cf_err cf__socket_name(int fd, const char *scheme, char *text, size_t size);

/* close() that leaves errno as it is. */
void cf__socket_close(int fd);

#endif
