/* SPDX-License-Identifier: MIT */
/* The calls in front of the C library's: see call_faults.h. */
#define _GNU_SOURCE
#include "tests/support/call_faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/shared.h"

static struct faults {
    atomic_int left[FAULTY_CALLS]; /* to be refused; -1: all */
    atomic_int refused[FAULTY_CALLS];
    int error[FAULTY_CALLS];
    pid_t program;
    atomic_int waits;
    atomic_bool hold, kill;
    atomic_int depth; /* forks, of those that count for kill */
    pid_t holder;
    int socket_bytes;
    atomic_bool no_close_range;
} * faults;

/* ISO C has no cast from an object pointer to a function pointer. */
#define NEXT(name)                                                             \
    do {                                                                       \
        if (next == NULL) {                                                    \
            void *symbol = dlsym(RTLD_NEXT, name);                             \
            memcpy(&next, &symbol, sizeof next);                               \
        }                                                                      \
    } while (0)

__attribute__((constructor)) static void
prepare(void)
{
    faults = shared_new(sizeof *faults);
}

void
call_faults_begin(enum faulty_call call, int count, int error)
{
    faults->program = getpid();
    faults->error[call] = error;
    atomic_store(&faults->refused[call], 0);
    atomic_store(&faults->left[call], count);
}

void
call_faults_end(enum faulty_call call)
{
    atomic_store(&faults->left[call], 0);
}

int
call_faults_count(enum faulty_call call)
{
    return atomic_load(&faults->refused[call]);
}

int
call_waits(void)
{
    return atomic_load(&faults->waits);
}

void
call_hold_at_fork(void)
{
    atomic_store(&faults->hold, true);
}

pid_t
call_holder(void)
{
    return faults->holder;
}

void
call_holder_end(void)
{
    (void)kill(faults->holder, SIGKILL);
    (void)waitpid(faults->holder, NULL, 0);
}

void
call_kill_grandchild(void)
{
    atomic_store(&faults->depth, 0);
    atomic_store(&faults->kill, true);
}

void
call_limit_sockets(int bytes)
{
    faults->socket_bytes = bytes;
}

void
call_refuse_close_range(void)
{
    atomic_store(&faults->no_close_range, true);
}

/* It reads six arguments, though there may be fewer. */
__attribute__((no_sanitize("address"))) long
syscall(long number, ...)
{
    static long (*next)(long, ...);
    long a[6];
    va_list args;
    NEXT("syscall");
    va_start(args, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    if (number == SYS_close_range && faults != NULL &&
        atomic_load(&faults->no_close_range)) {
        errno = ENOSYS;
        return -1;
    }
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static bool
refuses(enum faulty_call call)
{
    bool program = faults != NULL && getpid() == faults->program;
    if (faults == NULL || program != (call == FAULTY_READ))
        return false;
    int left = atomic_load(&faults->left[call]);
    while (left > 0 &&
           !atomic_compare_exchange_weak(&faults->left[call], &left, left - 1))
        continue;
    if (left == 0)
        return false;
    atomic_fetch_add(&faults->refused[call], 1);
    errno = faults->error[call];
    return true;
}

ssize_t
send(int fd, const void *p, size_t size, int flags)
{
    static ssize_t (*next)(int, const void *, size_t, int);
    NEXT("send");
    return refuses(FAULTY_SEND) ? -1 : next(fd, p, size, flags);
}

ssize_t
read(int fd, void *p, size_t size)
{
    static ssize_t (*next)(int, void *, size_t);
    NEXT("read");
    if (size == sizeof(uint64_t) && refuses(FAULTY_READ)) /* an eventfd's */
        return -1;
    return next(fd, p, size);
}

pid_t
waitpid(pid_t pid, int *status, int options)
{
    static pid_t (*next)(pid_t, int *, int);
    NEXT("waitpid");
    if (options & WNOHANG && refuses(FAULTY_WAITPID))
        return -1;
    return next(pid, status, options);
}

int
ppoll(struct pollfd *polled,
      nfds_t count,
      const struct timespec *limit,
      const sigset_t *mask)
{
    static int (*next)(
        struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
    NEXT("ppoll");
    if (faults != NULL)
        atomic_fetch_add(&faults->waits, 1);
    return next(polled, count, limit, mask);
}

int
socketpair(int domain, int type, int protocol, int sockets[2])
{
    static int (*next)(int, int, int, int *);
    NEXT("socketpair");
    int rc = next(domain, type, protocol, sockets);
    int bytes = faults != NULL ? faults->socket_bytes : 0;
    if (rc == 0 && bytes > 0)
        (void)setsockopt(
            sockets[1], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    return rc;
}

pid_t
fork(void)
{
    static pid_t (*next)(void);
    NEXT("fork");
    if (faults == NULL)
        return next();
    if (atomic_exchange(&faults->hold, false)) {
        pid_t holder = next();
        if (holder == 0)
            for (;;)
                pause();
        faults->holder = holder;
    }
    bool fatal =
        atomic_load(&faults->kill) && atomic_fetch_add(&faults->depth, 1) == 1;
    pid_t pid = next();
    if (pid == 0 && fatal) {
        atomic_store(&faults->kill, false);
        (void)kill(getpid(), SIGKILL);
    }
    return pid;
}
