/* SPDX-License-Identifier: MIT */
/*
 * Datagrams in an event loop: UDP, and Unix sockets that keep messages apart.
 * Which tasks may use one: stream.h. One task may receive while another one
 * sends.
 *
 * An address is a text: "udp:127.0.0.1:53", "udp:[::1]:53", "udp:localhost:53",
 * "unix:/run/socket", "unix:@name".
 */
#ifndef CFUTURES_DATAGRAM_H
#define CFUTURES_DATAGRAM_H

#include <cfutures/stream.h>

CF_BEGIN_DECLS

typedef struct cf_datagram cf_datagram;

/* Zero is the default of every field but size, which CF_DATAGRAM_OPTIONS() and
 * CF_DATAGRAM_OPTIONS_INIT set: 0 is CF_EINVAL. */
typedef struct cf_datagram_options {
    size_t size;      /* sizeof(cf_datagram_options) */
    bool reuse_port;  /* UDP: other sockets may have the same address, and the
                         system deals the datagrams out */
    bool broadcast;   /* UDP: it may send to broadcast addresses */
    const char *peer; /* only this address: what others send is dropped, and
                         cf_datagram_send_to() needs none. NULL: any */
} cf_datagram_options;

#define CF_DATAGRAM_OPTIONS_INIT                                               \
    {                                                                          \
        sizeof(cf_datagram_options), false, false, NULL                        \
    }
#ifndef __cplusplus
#define CF_DATAGRAM_OPTIONS(...) CF_WITH_SIZE(cf_datagram_options, __VA_ARGS__)
#endif

/**
 * Makes a socket for datagrams.
 *
 * @param call      The task's own call.
 * @param address   Where others send to: "udp:0.0.0.0:5353"; port 0: any that
 *                  is free, see cf_datagram_address(). Of a name, its first
 *                  address.
 * @param opts      NULL: defaults.
 * @param[out] out  The socket; untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL       call, address or out is NULL, or an address is none,
 *                         or the two are not of one kind, or opts->size is no
 *                         size.
 * @retval CF_ETOOBIG      As CF_EINVAL, for opts of a later version.
 * @retval CF_EINTERRUPTED The task has been told to stop while it waited for a
 *                         name.
 * @retval CF_ENOTSUP      This is no task of an event loop.
 * @retval CF_EFORKED      In a child that a task has forked.
 * @retval CF_ENOMEM
 * @retval CF_ESYS         errno says more: EADDRINUSE, EACCES, ...
 *
 * Ownership: *out is the caller's; cf_datagram_close() it.
 * Threads:   the loop's.
 * Blocks:    the task, if a name has to be looked up; else no.
 * Ordering:  none.
 * Fork:      CF_EFORKED.
 * Python:    loop.create_datagram_endpoint().
 */
CF_API CF_NODISCARD cf_err cf_datagram_create(cf_call *call,
                                              const char *address,
                                              const cf_datagram_options *opts,
                                              cf_datagram **out);

/**
 * Sends one datagram.
 *
 * @param d           The socket.
 * @param data        May be NULL when size is 0.
 * @param size        Bytes; 0 is a datagram too.
 * @param to          "udp:ADDRESS:PORT" in numbers, or "unix:PATH", such as
 *                    cf_datagram_receive_from() has given. NULL: to the peer.
 * @param timeout_ns  While the system has no room.
 *
 * @retval CF_OK           The system has it. Whether it arrives, none can say.
 * @retval CF_EINVAL       d is NULL, or data is NULL and size is not 0, or to
 *                         is no address, or a name, or timeout_ns is below -1,
 *                         or another task is sending.
 * @retval CF_ETIMEDOUT
 * @retval CF_EINTERRUPTED The task has been told to stop, or another one has
 *                         closed the socket.
 * @retval CF_ENOTSUP      This is no task of the socket's loop.
 * @retval CF_EFORKED      In a child that a task has forked.
 * @retval CF_ESYS         errno says more. EMSGSIZE: too big; EDESTADDRREQ: no
 *                         to, and no peer; ECONNREFUSED: nothing listens at the
 *                         peer's, as an earlier datagram has shown.
 *
 * Ownership: data and to stay the caller's.
 * Threads:   the loop's.
 * Blocks:    the task, until the system has room.
 * Ordering:  none.
 * Fork:      CF_EFORKED.
 * Python:    DatagramTransport.sendto().
 */
CF_API CF_NODISCARD cf_err cf_datagram_send_to(cf_datagram *d,
                                               const void *data,
                                               size_t size,
                                               const char *to,
                                               int64_t timeout_ns);

/**
 * Receives one datagram.
 *
 * @param d           The socket.
 * @param buf         Where to put it.
 * @param size        Bytes of room; what does not fit is lost.
 * @param timeout_ns  0: only one that is there.
 * @param[out] got    How many bytes the datagram has, which may be more than
 *                    size; 0 on error.
 * @param[out] from   Room for CF_ADDRESS_MAX bytes: who has sent it. NULL: not
 *                    wanted.
 *
 * @retval CF_OK
 * @retval CF_EINVAL       d or got is NULL, or buf is NULL and size is not 0,
 *                         or timeout_ns is below -1, or another task is
 *                         receiving.
 * @retval CF_ETIMEDOUT
 * @retval CF_EINTERRUPTED The task has been told to stop, or another one has
 *                         closed the socket.
 * @retval CF_ENOTSUP      This is no task of the socket's loop.
 * @retval CF_EFORKED      In a child that a task has forked.
 * @retval CF_ESYS         errno says more. ECONNREFUSED: as for
 *                         cf_datagram_send_to().
 *
 * Ownership: buf and from are the caller's.
 * Threads:   the loop's.
 * Blocks:    the task, until one comes.
 * Ordering:  as the system has received them.
 * Fork:      CF_EFORKED.
 * Python:    DatagramProtocol.datagram_received(), error_received().
 */
CF_API CF_NODISCARD cf_err cf_datagram_receive_from(cf_datagram *d,
                                                    void *buf,
                                                    size_t size,
                                                    int64_t timeout_ns,
                                                    size_t *got,
                                                    char *from);

/**
 * Writes the socket's own address as a text, such as "udp:127.0.0.1:4711".
 *
 * @param d          The socket.
 * @param[out] text  Room for CF_ADDRESS_MAX bytes is always enough; empty on
 *                   error.
 * @param size       Bytes of room.
 *
 * @retval CF_OK
 * @retval CF_EINVAL   d or text is NULL, or size is 0.
 * @retval CF_ETOOBIG  The address does not fit into size.
 * @retval CF_ESYS     errno says more.
 *
 * Ownership: text is the caller's.
 * Threads:   the loop's.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      works in a child.
 * Python:    DatagramTransport.get_extra_info("sockname").
 */
CF_API cf_err cf_datagram_address(const cf_datagram *d,
                                  char *text,
                                  size_t size);

/**
 * Closes a socket and frees it.
 *
 * A task that receives or sends meanwhile gets CF_EINTERRUPTED, and must not
 * use the socket again. The path of a Unix socket is removed, if it is still
 * this socket's. A loop that ends closes the sockets that are left.
 *
 * @param d  NULL: nothing happens. In a child that a task has forked nothing
 *           happens either.
 *
 * Ownership: d is gone.
 * Threads:   the loop's.
 * Blocks:    no.
 * Ordering:  what was sent is sent.
 * Fork:      see d.
 * Python:    DatagramTransport.close().
 */
CF_API void cf_datagram_close(cf_datagram *d);

CF_END_DECLS

#endif
