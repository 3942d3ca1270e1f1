/* SPDX-License-Identifier: MIT */
/*
 * Descriptors and signals in the tasks of an event loop. Descriptors are for
 * what has no call of its own here, such as another library's sockets. A task
 * tries first, without blocking (O_NONBLOCK), and waits if the system says
 * EAGAIN; the other tasks run meanwhile.
 *
 *     while ((got = read(fd, buffer, size)) < 0 && errno == EAGAIN)
 *         if (cf_wait_fd(call, fd, CF_FD_READ, CF_FOREVER, NULL))
 *             return 1;
 */
#ifndef CFUTURES_IO_H
#define CFUTURES_IO_H

#include <cfutures/error.h>

CF_BEGIN_DECLS

/* What a task waits for; more than one is possible. */
enum {
    CF_FD_READ = 1, /* read() or accept() would not block */
    CF_FD_WRITE = 2 /* write() would not block, or connect() has ended */
};

/**
 * Waits until a descriptor can be read or written.
 *
 * An error and a hang-up count as whatever the task waits for: its next read()
 * or write() says more. It may be ready and yet not be so any more at that
 * call, if others use the descriptor too.
 *
 * For each descriptor one task may wait for reading, and one for writing.
 * Before a descriptor is closed that a task waits for, cf_fd_closing() tells
 * the loop. If it has been closed without that, its task learns it when the
 * number is waited for again, and the new descriptor works.
 *
 * @param call        The task's own call.
 * @param fd          A socket, pipe, terminal, eventfd, or whatever epoll(7)
 *                    takes. It stays the caller's.
 * @param events      CF_FD_READ, CF_FD_WRITE or both: then either ends the
 *                    wait.
 * @param timeout_ns  0 asks only.
 * @param[out] ready  Which of events; NULL: not wanted. Untouched unless
 *                    CF_OK.
 *
 * @retval CF_OK
 * @retval CF_EINVAL       call is NULL, fd is negative, events has none or
 *                         others, timeout_ns is below -1, or another task waits
 *                         for the same.
 * @retval CF_ENOTSUP      The task is not an event loop's.
 * @retval CF_ETIMEDOUT
 * @retval CF_EINTERRUPTED The task has been told to stop, or cf_fd_closing()
 *                         was called.
 * @retval CF_ESYS         errno is EBADF: it is not open, or was closed
 *                         meanwhile. EPERM: the system cannot wait for it; a
 *                         regular file is always ready.
 * @retval CF_ENOMEM
 * @retval CF_EFORKED      In the child of a task that has forked.
 *
 * Ownership: nothing changes hands.
 * Threads:   the one that runs the task.
 * Blocks:    the task, not its thread.
 * Ordering:  none.
 * Fork:      not in the child of a task that forks.
 * Python:    loop.add_reader(), loop.add_writer(); loop.sock_recv() and others
 *            after it.
 */
CF_API CF_NODISCARD cf_err cf_wait_fd(cf_call *call,
                                      int fd,
                                      unsigned events,
                                      int64_t timeout_ns,
                                      unsigned *ready);

/**
 * Tells the loop that a descriptor is about to be closed.
 *
 * What waits for it returns CF_EINTERRUPTED. The caller then closes it before
 * its next wait. For a descriptor that no task has waited for, or if call is
 * not that of an event loop's task, it does nothing.
 *
 * @param call  The task's own call.
 * @param fd    The descriptor, still open.
 *
 * Ownership: fd stays the caller's.
 * Threads:   the one that runs the task.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      in a fork's child it does nothing.
 * Python:    loop.remove_reader(), loop.remove_writer().
 */
CF_API void cf_fd_closing(cf_call *call, int fd);

/**
 * Waits until a signal comes to the process.
 *
 * From the first wait for a signal on, the loop catches it, until the loop
 * ends; then it has its default action. One that comes while no task waits for
 * it is kept, once, for the next wait. If several tasks wait, all of them
 * return. The threads of the program must not block the signal, or at least one
 * of them must not.
 *
 * @param call         The task's own call.
 * @param signos       Signals, such as SIGTERM. Not for those that say that the
 *                     program is broken (SIGSEGV).
 * @param count        How many.
 * @param timeout_ns   0 asks only for one that was kept.
 * @param[out] signo   Which one came; NULL: not wanted. Untouched unless CF_OK.
 *
 * @retval CF_OK
 * @retval CF_EINVAL       call or signos is NULL, count is 0, timeout_ns is
 *                         below -1, or a signal cannot be caught.
 * @retval CF_ENOTSUP      The task is not an event loop's.
 * @retval CF_ETIMEDOUT
 * @retval CF_EINTERRUPTED The task has been told to stop.
 * @retval CF_ENOMEM, CF_ESYS, CF_EFORKED  As cf_wait_fd().
 *
 * Ownership: nothing changes hands.
 * Threads:   the one that runs the task.
 * Blocks:    the task, not its thread.
 * Ordering:  none.
 * Fork:      not in the child of a task that forks.
 * Python:    loop.add_signal_handler().
 */
CF_API CF_NODISCARD cf_err cf_signal_wait(cf_call *call,
                                          const int *signos,
                                          size_t count,
                                          int64_t timeout_ns,
                                          int *signo);

CF_END_DECLS

#endif
