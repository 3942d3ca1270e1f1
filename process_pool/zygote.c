/* SPDX-License-Identifier: MIT */
/* The program's end of the zygote's socket: see zygote.h. */
#include "process_pool/zygote.h"

#include "lib/cancel.h"
#include "lib/clock.h"
#include "process_pool/await.h"
#include "process_pool/descriptors.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Room for one descriptor that travels with a message. */
union passenger {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

/* In the process between, which is the zygote's parent: so the pidfd is the
 * zygote's for certain. */
static void
introduce(int socket, pid_t pid)
{
    struct cf__zygote_report born = {CF__ZYGOTE_BORN, -1, pid, 0, 0};
    struct iovec part = {&born, sizeof born};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
#ifdef SYS_pidfd_open
    union passenger passenger;
    int life = (int)syscall(SYS_pidfd_open, pid, 0);
    if (life >= 0) {
        memset(&passenger, 0, sizeof passenger);
        message.msg_control = &passenger;
        message.msg_controllen = sizeof passenger;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof life);
        memcpy(CMSG_DATA(header), &life, sizeof life);
    }
#endif
    while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
        if (errno == EINTR)
            continue;
        if (!message.msg_controllen)
            break; /* READY has the process id, too */
        message.msg_control = NULL;
        message.msg_controllen = 0;
    }
}

static bool
is_child(pid_t pid)
{
    siginfo_t info;
    int rc;
    do {
        rc = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
    } while (rc != 0 && errno == EINTR);
    return rc == 0;
}

/* Waits for the zygote's first words. It may also end without any. */
static cf_err
await_ready(struct cf__zygote *zygote)
{
    for (bool ended = false;; ended = cf__zygote_has_ended(zygote)) {
        struct cf__zygote_report first;
        int heard = 1;
        while (heard > 0 && (heard = cf__zygote_receive(zygote, &first)) > 0) {
            if (first.news == CF__ZYGOTE_READY) {
                zygote->pid = first.pid;
                zygote->adopted = is_child(first.pid);
                return CF_OK;
            }
            if (first.news == CF__SPAWN_FAILED) {
                errno = first.status;
                return CF_ESYS;
            }
        }
        if (heard < 0 || ended) {
            errno = EAGAIN;
            return CF_ESYS;
        }
        struct pollfd polled[] = {{zygote->socket, POLLIN, 0},
                                  {zygote->life, POLLIN, 0}};
        (void)cf__await(
            polled, 2, zygote->life < 0 ? CF__ZYGOTE_LOOK_NS : CF__NEVER);
    }
}

_Thread_local bool cf__zygote_is_coming;
static _Thread_local bool in_own_fork;

pid_t
cf__own_fork(void)
{
    in_own_fork = true;
    pid_t pid = fork();
    in_own_fork = false; /* in both processes */
    return pid;
}

bool
cf__in_own_fork(void)
{
    return in_own_fork;
}

/* Forks a child that forks the zygote and ends: so the zygote is no child of
 * the program. */
static int
fork_twice(const struct cf__worker_setup *setup,
           const int sockets[2],
           int program,
           bool inherit_descriptors)
{
    cf__zygote_is_coming = true;
    pid_t between = cf__own_fork();
    if (between == 0) {
        pid_t pid = cf__own_fork();
        if (pid < 0)
            _exit(errno);
        if (pid > 0) {
            introduce(sockets[1], pid);
            _exit(0);
        }
        close(sockets[0]);
        cf__zygote_main(setup, sockets[1], program, inherit_descriptors);
    }
    cf__zygote_is_coming = false;
    if (between < 0)
        return errno;
    int status = 0;
    pid_t reaped;
    do {
        reaped = waitpid(between, &status, 0);
    } while (reaped < 0 && errno == EINTR);
    /* ECHILD: a handler of the program was faster; READY tells the rest. */
    return reaped == between && WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static bool
open_sockets(int sockets[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
        return false;
    for (int i = 0; i < 2; i++)
        sockets[i] = cf__above_standard(sockets[i]);
    if (sockets[0] >= 0 && sockets[1] >= 0)
        return true;
    int error = errno;
    for (int i = 0; i < 2; i++)
        if (sockets[i] >= 0)
            close(sockets[i]);
    errno = error;
    return false;
}

cf_err
cf__zygote_start(struct cf__zygote *zygote,
                 const struct cf__worker_setup *setup,
                 bool inherit_descriptors)
{
    int sockets[2];
    if (!open_sockets(sockets))
        return CF_ESYS;
    int program = -1; /* without it, the socket's end tells of the program's */
#ifdef SYS_pidfd_open
    program = (int)syscall(SYS_pidfd_open, getpid(), 0);
#endif
    sigset_t all, old; /* no handler of the program runs in the child */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int error = fork_twice(setup, sockets, program, inherit_descriptors);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    close(sockets[1]);
    if (program >= 0)
        close(program);
    zygote->socket = sockets[0];
    cf_err err = CF_ESYS;
    if (error)
        errno = error;
    else
        err = await_ready(zygote);
    if (err) {
        error = errno;
        cf__zygote_reap(zygote);
        cf__zygote_close(zygote);
        errno = error;
    }
    return err;
}

static bool
send_request(const struct cf__zygote *zygote,
             const struct cf__zygote_request *request)
{
    ssize_t sent;
    int former = cf__cancel_disable();
    do {
        sent = send(zygote->socket,
                    request,
                    sizeof *request,
                    MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    cf__cancel_restore(former);
    return sent == (ssize_t)sizeof *request;
}

bool
cf__zygote_spawn(const struct cf__zygote *zygote, int lane, uint64_t start)
{
    struct cf__zygote_request request = {CF__ZYGOTE_SPAWN, lane, 0, start};
    return send_request(zygote, &request);
}

bool
cf__zygote_kill(const struct cf__zygote *zygote, int lane, int signo)
{
    struct cf__zygote_request request = {CF__ZYGOTE_KILL, lane, signo, 0};
    return send_request(zygote, &request);
}

/* The zygote's first message: who it is. */
static void
meet(struct cf__zygote *zygote, pid_t pid, struct msghdr *message)
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    zygote->pid = pid;
    zygote->adopted = is_child(pid);
    if (header && header->cmsg_type == SCM_RIGHTS) {
        memcpy(&zygote->life, CMSG_DATA(header), sizeof zygote->life);
        zygote->life = cf__above_standard(zygote->life);
    }
}

int
cf__zygote_receive(struct cf__zygote *zygote, struct cf__zygote_report *out)
{
    union passenger passenger;
    struct iovec part = {out, sizeof *out};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &passenger,
                             .msg_controllen = sizeof passenger};
    ssize_t size;
    do {
        size =
            recvmsg(zygote->socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (size < 0 && errno == EINTR);
    if (size < 0) /* for want of memory: it is still there */
        return errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS ? 0 : -1;
    if (size != (ssize_t)sizeof *out)
        return -1;
    if (out->news == CF__ZYGOTE_BORN)
        meet(zygote, out->pid, &message);
    return 1;
}

/* Gives up the pidfd. */
static void
forget_life(struct cf__zygote *zygote)
{
    if (zygote->life >= 0)
        cf__close(zygote->life);
    zygote->life = -1;
}

bool
cf__zygote_has_ended(struct cf__zygote *zygote)
{
    struct pollfd polled = {zygote->life, POLLIN, 0};
    if (zygote->life >= 0) {
        if (cf__await(&polled, 1, 0) <= 0)
            return false;
#ifdef SYS_pidfd_send_signal
        /* Is it still what it was? The program may have closed it. */
        if (!(polled.revents & POLLNVAL) &&
            (syscall(SYS_pidfd_send_signal, zygote->life, 0, NULL, 0) == 0 ||
             errno == ESRCH || errno == EPERM))
            return true;
#endif
        zygote->life = -1; /* not ours to close */
        return false;
    }
    if (zygote->adopted) {
        siginfo_t info = {.si_pid = 0};
        int how = WEXITED | WNOHANG | WNOWAIT;
        return waitid(P_PID, (id_t)zygote->pid, &info, how) == 0
                   ? info.si_pid != 0
                   : errno == ECHILD; /* the program was faster */
    }
    return zygote->pid > 0 && kill(zygote->pid, 0) != 0 && errno == ESRCH;
}

void
cf__zygote_stop(const struct cf__zygote *zygote)
{
    (void)shutdown(zygote->socket, SHUT_WR);
}

void
cf__zygote_close(struct cf__zygote *zygote)
{
    if (zygote->socket >= 0)
        cf__close(zygote->socket);
    zygote->socket = -1;
    forget_life(zygote);
}

void
cf__zygote_reap(struct cf__zygote *zygote)
{
    if (!zygote->adopted)
        return;
    /* has it only become mute, it ends now */
    (void)shutdown(zygote->socket, SHUT_RDWR);
    /* ECHILD: the program was faster */
    while (waitpid(zygote->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    zygote->adopted = false;
}
