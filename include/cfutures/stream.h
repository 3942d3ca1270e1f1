/* SPDX-License-Identifier: MIT */
/*
 * Streams of bytes in an event loop: TCP connections, Unix sockets, pipes and
 * terminals. A call that has to wait suspends its task, and the others run
 * meanwhile.
 *
 * A stream belongs to the loop in which it was made. Only tasks of that loop
 * use it: in other threads each call is CF_ENOTSUP, and cf_stream_close() ends
 * the program with a sentence. One task may read while another one writes. A
 * second one that would read, or write, gets CF_EINVAL.
 *
 * The loop reads ahead, but only a little for each stream: if nobody reads, the
 * peer has to wait. A write waits until the system has taken all bytes. So
 * neither side needs memory for what the other one is too slow for.
 *
 * No call leaves a buffer of its caller's with the system: after each return,
 * whatever it was, the buffer is the caller's alone. SIGPIPE does not come.
 *
 * An address is a text: "tcp:127.0.0.1:80", "tcp:[::1]:80", "tcp:localhost:80",
 * "tcp:example.org:http", "unix:/run/socket", or "unix:@name" for Linux's
 * abstract names. To listen on, "unix:@" is any name that is free, as port 0
 * is.
 */
#ifndef CFUTURES_STREAM_H
#define CFUTURES_STREAM_H

#include <cfutures/error.h>

CF_BEGIN_DECLS

typedef struct cf_stream cf_stream;

/* Room for the longest address, its final zero included; in bytes. */
#define CF_ADDRESS_MAX 128U

/* How long a line may be where cf_stream_read_line() is given 0; in bytes. */
#define CF_LINE_LIMIT 65536U

/* Zero is the default of every field but size, which CF_STREAM_OPTIONS() and
 * CF_STREAM_OPTIONS_INIT set: 0 is CF_EINVAL. */
typedef struct cf_stream_options {
    size_t size;           /* sizeof(cf_stream_options) */
    bool nagle;            /* TCP: small writes are held back until what was
                              sent before has been acknowledged */
    unsigned keep_alive_s; /* TCP: after so many idle seconds the system asks
                              whether the peer is still there; 0: it does not */
} cf_stream_options;

#define CF_STREAM_OPTIONS_INIT                                                 \
    {                                                                          \
        sizeof(cf_stream_options), false, 0                                    \
    }
#ifndef __cplusplus
#define CF_STREAM_OPTIONS(...) CF_WITH_SIZE(cf_stream_options, __VA_ARGS__)
#endif

/**
 * Connects to an address.
 *
 * If a name has several addresses, those of IPv6 and IPv4 are tried in turns:
 * the next one when the one before it has failed, or has not answered within a
 * quarter of a second. The first that accepts is taken, and the others are
 * closed (RFC 8305). If all of them fail, the error is that of the last one to
 * do so. How names are looked up: resolve.h.
 *
 * @param call        The task's own call.
 * @param address     "tcp:HOST:PORT" or "unix:PATH".
 * @param opts        NULL: defaults.
 * @param timeout_ns  For all of it, names included.
 * @param[out] out    The stream; untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL       call, address or out is NULL, or address is none, or
 *                         timeout_ns is below -1, or opts->size is no size.
 * @retval CF_ETOOBIG      As CF_EINVAL, for opts of a later version.
 * @retval CF_ETIMEDOUT
 * @retval CF_EINTERRUPTED The task has been told to stop.
 * @retval CF_ENOTSUP      This is no task of an event loop.
 * @retval CF_EFORKED      In a child that a task has forked.
 * @retval CF_ENOMEM
 * @retval CF_ESYS         errno says more: ECONNREFUSED, ENOENT for a name or
 *                         path that does not exist, ...
 *
 * Ownership: *out is the caller's; cf_stream_close() it.
 * Threads:   the loop's.
 * Blocks:    the task, until connected.
 * Ordering:  none.
 * Fork:      CF_EFORKED.
 * Python:    asyncio.open_connection(happy_eyeballs_delay=0.25),
 *            open_unix_connection().
 */
CF_API CF_NODISCARD cf_err cf_stream_connect(cf_call *call,
                                             const char *address,
                                             const cf_stream_options *opts,
                                             int64_t timeout_ns,
                                             cf_stream **out);

/**
 * Makes a stream of a descriptor: a connected socket, an end of a pipe, or a
 * terminal.
 *
 * The descriptor becomes non-blocking, and so does every other descriptor of
 * the same open file; a terminal is opened a second time instead, and
 * cf_stream_fd() is that one. Regular files are always ready, and no streams.
 *
 * @param call      The task's own call.
 * @param fd        The descriptor.
 * @param[out] out  The stream; untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL  call or out is NULL, or fd is below 0, or it is of a kind
 *                    that a stream cannot be.
 * @retval CF_ENOTSUP, CF_EFORKED  As cf_stream_connect().
 * @retval CF_ENOMEM
 * @retval CF_ESYS    errno says more. EEXIST: the loop waits for it already.
 *
 * Ownership: with CF_OK fd is the stream's, which closes it, but for the
 *            standard ones (0 to 2), which stay open; otherwise it stays the
 *            caller's. *out is the caller's; cf_stream_close() it.
 * Threads:   the loop's.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      CF_EFORKED.
 * Python:    asyncio.open_connection(sock=), loop.connect_read_pipe().
 */
CF_API CF_NODISCARD cf_err cf_stream_from_fd(cf_call *call,
                                             int fd,
                                             cf_stream **out);

/**
 * Reads what there is, at least one byte.
 *
 * Bytes that have come succeed at once, also for a task that has been told to
 * stop.
 *
 * @param s           The stream.
 * @param buf         Where to put the bytes.
 * @param size        Bytes of room; with 0 nothing is read, and that is CF_OK.
 * @param timeout_ns  0: only what is there.
 * @param[out] got    How many bytes were read; 0 on error.
 *
 * @retval CF_OK
 * @retval CF_EDONE        The peer has ended its side, and all has been read.
 * @retval CF_EINVAL       s or got is NULL, or buf is NULL and size is not 0,
 *                         or timeout_ns is below -1, or another task is
 *                         reading.
 * @retval CF_ETOOBIG      No object has so many bytes.
 * @retval CF_ETIMEDOUT
 * @retval CF_EINTERRUPTED The task has been told to stop, or another one has
 *                         closed the stream.
 * @retval CF_ENOTSUP      This is no task of the stream's loop.
 * @retval CF_EFORKED      In a child that a task has forked.
 * @retval CF_ENOMEM
 * @retval CF_ESYS         errno says more. ECONNRESET: the peer has given up.
 *                         What came before has been read by then, and further
 *                         reads say the same.
 *
 * Ownership: buf stays the caller's.
 * Threads:   the loop's.
 * Blocks:    the task, until something comes.
 * Ordering:  none.
 * Fork:      CF_EFORKED.
 * Python:    StreamReader.read(n).
 */
CF_API CF_NODISCARD cf_err cf_stream_read(
    cf_stream *s, void *buf, size_t size, int64_t timeout_ns, size_t *got);

/**
 * Reads exactly so many bytes.
 *
 * On an error the first *got bytes are in buf, and the stream has them no more:
 * to go on, read the rest behind them.
 *
 * @param s           The stream.
 * @param buf         Where to put the bytes.
 * @param size        How many.
 * @param timeout_ns  For all of them.
 * @param[out] got    How many bytes are in buf; NULL: not wanted.
 *
 * @retval CF_OK     All are there.
 * @retval CF_EDONE  The peer ended its side before.
 *
 * Python:    StreamReader.readexactly(n); *got is IncompleteReadError.partial.
 *
 * The rest as cf_stream_read(), but that got may be NULL.
 */
CF_API CF_NODISCARD cf_err cf_stream_read_exactly(
    cf_stream *s, void *buf, size_t size, int64_t timeout_ns, size_t *got);

/**
 * Reads a line: up to and with the next '\n', or up to the end if the peer
 * stops without one.
 *
 * After CF_ETOOBIG, CF_ETIMEDOUT and CF_EINTERRUPTED the beginning of the line
 * is still unread: another call of this or of cf_stream_read() starts there.
 *
 * @param s           The stream.
 * @param limit       How many bytes a line may have, its '\n' included; 0:
 *                    CF_LINE_LIMIT.
 * @param timeout_ns  For the whole line.
 * @param[out] line   The bytes, '\n' included; no zero follows them. Empty on
 *                    error.
 *
 * @retval CF_OK
 * @retval CF_EDONE   The peer has ended its side, and all has been read.
 * @retval CF_EINVAL  s or line is NULL, or timeout_ns is below -1, or another
 *                    task is reading.
 * @retval CF_ETOOBIG The line is longer than limit.
 *
 * All other values as cf_stream_read().
 *
 * Ownership: *line is the stream's, and valid until the next read of it, or
 *            until it is closed.
 * Threads:   the loop's.
 * Blocks:    the task, until the line is whole.
 * Ordering:  none.
 * Fork:      CF_EFORKED.
 * Python:    StreamReader.readline().
 */
CF_API CF_NODISCARD cf_err cf_stream_read_line(cf_stream *s,
                                               size_t limit,
                                               int64_t timeout_ns,
                                               cf_bytes *line);

/**
 * Writes all of some bytes, and waits until the system has taken them.
 *
 * A peer that does not read makes this wait. If it ends before, *written says
 * how much is on its way: those bytes are sent, unless the stream is closed or
 * fails, and to go on, write the rest behind them.
 *
 * @param s             The stream.
 * @param data          May be NULL when size is 0.
 * @param size          Bytes.
 * @param timeout_ns    For all of them. 0: only what the system takes at once.
 * @param[out] written  How many bytes were taken; NULL: not wanted.
 *
 * @retval CF_OK           All of them.
 * @retval CF_EINVAL       s is NULL, or data is NULL and size is not 0, or
 *                         timeout_ns is below -1, or another task is writing.
 * @retval CF_ETOOBIG      No object has so many bytes.
 * @retval CF_ETIMEDOUT
 * @retval CF_EINTERRUPTED The task has been told to stop, or another one has
 *                         closed the stream.
 * @retval CF_ENOTSUP      This is no task of the stream's loop.
 * @retval CF_EFORKED      In a child that a task has forked.
 * @retval CF_ENOMEM
 * @retval CF_ESYS         errno says more. EPIPE: the peer reads no more, or
 *                         cf_stream_shutdown() came before.
 *
 * Ownership: data stays the caller's.
 * Threads:   the loop's.
 * Blocks:    the task, until the system has taken all.
 * Ordering:  bytes arrive in the order of the calls.
 * Fork:      CF_EFORKED.
 * Python:    StreamWriter.write() and drain().
 */
CF_API CF_NODISCARD cf_err cf_stream_write(cf_stream *s,
                                           const void *data,
                                           size_t size,
                                           int64_t timeout_ns,
                                           size_t *written);

/**
 * Ends the writing side: after what was written, the peer reads the end. The
 * reading side stays as it is.
 *
 * @param s  The stream.
 *
 * @retval CF_OK       Also the second time.
 * @retval CF_EINVAL   s is NULL, or a task is writing.
 * @retval CF_ENOTSUP  This is no task of the stream's loop.
 * @retval CF_EFORKED  In a child that a task has forked.
 * @retval CF_ESYS     errno says more. ENOTSOCK: a pipe or a terminal has one
 *                     side only. ENOTCONN: the peer has given up.
 *
 * Ownership: nothing changes hands.
 * Threads:   the loop's.
 * Blocks:    no.
 * Ordering:  after all writes.
 * Fork:      CF_EFORKED.
 * Python:    StreamWriter.write_eof().
 */
CF_API cf_err cf_stream_shutdown(cf_stream *s);

/**
 * Closes a stream and frees it.
 *
 * A task that reads or writes meanwhile gets CF_EINTERRUPTED, and must not use
 * the stream again. A loop that ends closes the streams that are left: their
 * handles are not valid after that.
 *
 * @param s  NULL: nothing happens. In a child that a task has forked nothing
 *           happens either.
 *
 * Ownership: s is gone.
 * Threads:   the loop's.
 * Blocks:    no.
 * Ordering:  the peer reads what was written, and then the end; if something is
 *            unread here, the system may reset the connection instead.
 * Fork:      see s.
 * Python:    StreamWriter.close().
 */
CF_API void cf_stream_close(cf_stream *s);

/**
 * Returns the descriptor of a stream, for getsockopt() and the like.
 *
 * @return  -1 for NULL.
 *
 * Ownership: the stream's: do not close it, and read and write it by the
 *            stream only.
 * Threads:   the loop's.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      works in a child.
 * Python:    StreamWriter.get_extra_info("socket").fileno().
 */
CF_API int cf_stream_fd(const cf_stream *s);

/**
 * Writes the address of the other side as a text, such as "tcp:127.0.0.1:80".
 *
 * @param s          The stream.
 * @param[out] text  Room for CF_ADDRESS_MAX bytes is always enough. "unix:" for
 *                   a Unix socket without a path; empty on error.
 * @param size       Bytes of room.
 *
 * @retval CF_OK
 * @retval CF_EINVAL   s or text is NULL, or size is 0.
 * @retval CF_ETOOBIG  The address does not fit into size.
 * @retval CF_ENOTSUP  This is no socket.
 * @retval CF_ESYS     errno says more. ENOTCONN: the peer has given up.
 *
 * Ownership: text is the caller's.
 * Threads:   the loop's.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      works in a child.
 * Python:    StreamWriter.get_extra_info("peername").
 */
CF_API cf_err cf_stream_peer_name(const cf_stream *s, char *text, size_t size);

CF_END_DECLS

#endif
