/* SPDX-License-Identifier: MIT */
/* The program's end of the zygote's socket: see zygote.h. */
#include "process_pool/zygote.h"

#include "lib/cancel.h"
#include "process_pool/descriptors.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Waits for the zygote's first words. */
static cf_err
await_ready(struct cf__zygote *zygote)
{
    struct cf__zygote_report first;
    ssize_t size;
    do {
        size = recv(zygote->socket, &first, sizeof first, 0);
    } while (size < 0 && errno == EINTR);
    if (size == (ssize_t)sizeof first && first.news == CF__ZYGOTE_READY) {
        siginfo_t info;
        zygote->pid = first.pid;
        zygote->adopted = waitid(P_PID,
                                 (id_t)first.pid,
                                 &info,
                                 WEXITED | WNOHANG | WNOWAIT) == 0;
        return CF_OK;
    }
    errno = size == (ssize_t)sizeof first ? first.status : EAGAIN;
    return CF_ESYS;
}

_Thread_local bool cf__zygote_is_coming;

/* Forks a child that forks the zygote and ends: so the zygote is no child of
 * the program. */
static int
fork_twice(const struct cf__worker_setup *setup,
           const int sockets[2],
           int program,
           bool inherit_descriptors)
{
    cf__zygote_is_coming = true;
    pid_t between = fork();
    if (between == 0) {
        pid_t pid = fork();
        if (pid != 0)
            _exit(pid < 0 ? errno : 0);
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

int
cf__zygote_receive(const struct cf__zygote *zygote,
                   struct cf__zygote_report *out)
{
    ssize_t size;
    do {
        size = recv(zygote->socket, out, sizeof *out, MSG_DONTWAIT);
    } while (size < 0 && errno == EINTR);
    if (size == (ssize_t)sizeof *out)
        return 1;
    return size < 0 && errno == EAGAIN ? 0 : -1;
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
