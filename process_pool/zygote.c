/* SPDX-License-Identifier: MIT */
/*
 * The zygote's process and the program's end of its socket: see zygote.h. The
 * process has one thread, takes no locks and allocates nothing after its
 * start: it is a fork of a program that may have been doing anything.
 */
#include "process_pool/zygote.h"

#include "process_pool/descriptors.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The zygote's own; pids is indexed by lane, 0: no worker. */
struct zygote {
    const struct cf__worker_setup *setup;
    pid_t *pids;
    int socket, signals, program; /* descriptors; program may be -1 */
};

static void
report(const struct zygote *z,
       enum cf__zygote_news news,
       int lane,
       pid_t pid,
       int status)
{
    struct cf__zygote_report message = {news, lane, pid, status};
    ssize_t sent;
    do {
        sent = send(z->socket, &message, sizeof message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    /* Nobody is there to hear it: the end comes with the next poll(). */
}

/* Everything that the zygote needs and a worker does not. */
static void
forget(const struct zygote *z)
{
    close(z->socket);
    close(z->signals);
    if (z->program >= 0)
        close(z->program);
}

static void
spawn(struct zygote *z, const struct cf__zygote_request *request)
{
    pid_t zygote = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        sigset_t none;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != zygote) /* it died before that was armed */
            _exit(CF__EXIT_DONE);
        forget(z);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        cf__worker_main(z->setup, request->lane, request->start);
    }
    if (pid < 0)
        report(z, CF__SPAWN_FAILED, request->lane, 0, errno);
    else
        z->pids[request->lane] = pid;
}

static void
reap(struct zygote *z)
{
    int status;
    pid_t pid;
    struct signalfd_siginfo info;
    while (read(z->signals, &info, sizeof info) > 0)
        continue;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (int i = 0; i < z->setup->shared->lanes; i++) {
            if (z->pids[i] == pid) {
                z->pids[i] = 0;
                report(z, CF__WORKER_ENDED, i, pid, status);
                break;
            }
        }
    }
}

/* The program shall read the end, even if a process that another thread forked
 * at the wrong moment has a copy of this socket. */
static void
leave_socket(int socket)
{
    (void)shutdown(socket, SHUT_RDWR);
}

/* Nobody needs them any more. */
_Noreturn static void
end_all(struct zygote *z)
{
    for (int i = 0; i < z->setup->shared->lanes; i++)
        if (z->pids[i])
            kill(z->pids[i], SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        continue;
    leave_socket(z->socket);
    _exit(0);
}

/* Handles one request; false: there is none. */
static bool
serve(struct zygote *z)
{
    struct cf__zygote_request request;
    ssize_t size = recv(z->socket, &request, sizeof request, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (size != (ssize_t)sizeof request)
        end_all(z); /* the program is gone, or asks for the end */
    if (request.verb == CF__ZYGOTE_SPAWN)
        spawn(z, &request);
    else if (z->pids[request.lane]) /* not reaped: the pid is the worker's */
        kill(z->pids[request.lane], request.signo);
    return true;
}

_Noreturn static void
loop(struct zygote *z)
{
    struct pollfd polled[] = {{z->socket, POLLIN, 0},
                              {z->signals, POLLIN, 0},
                              {z->program, POLLIN, 0}};
    for (;;) {
        if (poll(polled, 3, -1) < 0 && errno != EINTR)
            end_all(z);
        if (polled[2].revents)
            end_all(z); /* the program has ended */
        reap(z);
        while (serve(z))
            continue;
    }
}

/* As after exec(): handlers are gone, what was ignored stays ignored. */
static void
reset_signals(void)
{
    struct sigaction action;
    for (int signo = 1; signo < NSIG; signo++) {
        if (sigaction(signo, NULL, &action) != 0 ||
            action.sa_handler == SIG_IGN || action.sa_handler == SIG_DFL)
            continue;
        action.sa_handler = SIG_DFL;
        action.sa_flags = 0;
        (void)sigaction(signo, &action, NULL);
    }
    (void)signal(SIGCHLD, SIG_DFL); /* ignored, it would reap for us */
    (void)signal(SIGINT, SIG_IGN);  /* a Ctrl-C is for the program */
}

#ifdef __GLIBC__
/* exit() in a task: leaves before the program's handlers, and its files. */
static void
leave(int status, void *data)
{
    (void)data;
    (void)fflush(stdout);
    _exit(status);
}
#endif

/* What the program had buffered is the program's to write. */
static void
drop_buffers(void)
{
    __fpurge(stdout);
    __fpurge(stderr);
#ifdef __GLIBC__ /* elsewhere exit() in a task runs the program's handlers */
    (void)on_exit(leave, NULL);
#endif
}

_Noreturn static void
zygote_main(const struct cf__worker_setup *setup,
            int socket,
            int program,
            bool inherit_descriptors)
{
    struct zygote z = {setup, NULL, socket, -1, program};
    size_t size = (size_t)setup->shared->lanes * sizeof *z.pids;
    sigset_t chld, all;
    reset_signals();
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    /* What is sent to the program's whole group is for it and the workers. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    if (!inherit_descriptors) {
        const int kept[] = {socket, program, setup->doorbell};
        cf__close_all_but(kept, 3);
    }
    z.signals = signalfd(-1, &chld, SFD_NONBLOCK | SFD_CLOEXEC);
    z.pids = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    drop_buffers();
    cf__worker_name(setup, "z");
    if (z.signals < 0 || z.pids == MAP_FAILED ||
        !cf__shared_restrict(setup->shared)) {
        report(&z, CF__SPAWN_FAILED, -1, getpid(), errno);
        leave_socket(socket);
        _exit(1);
    }
    report(&z, CF__ZYGOTE_READY, -1, getpid(), 0);
    loop(&z);
}

/* --- the program's side ------------------------------------------------ */

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
        zygote_main(setup, sockets[1], program, inherit_descriptors);
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
    do {
        sent = send(zygote->socket,
                    request,
                    sizeof *request,
                    MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
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
        close(zygote->socket);
    zygote->socket = -1;
}

void
cf__zygote_reap(struct cf__zygote *zygote)
{
    if (!zygote->adopted)
        return;
    leave_socket(zygote->socket); /* has it only become mute, it ends now */
    /* ECHILD: the program was faster */
    while (waitpid(zygote->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    zygote->adopted = false;
}
