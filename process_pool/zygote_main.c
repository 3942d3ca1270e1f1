/* SPDX-License-Identifier: MIT */
/*
 * The zygote's process: see zygote.h. It has one thread, takes no locks and
 * allocates nothing after its start: it is a fork of a program that may have
 * been doing anything.
 */
#include "process_pool/zygote.h"

#include "lib/clock.h"
#include "process_pool/await.h"
#include "process_pool/descriptors.h"
#include "process_pool/output.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct zygote {
    const struct cf__worker_setup *setup;
    struct cf__roster_entry *workers; /* by lane, in memory of the roster */
    const unsigned char *lanes_out;   /* to look at only; NULL: it cannot */
    int socket, signals, program;     /* descriptors; program may be -1 */
};

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
        if (z->workers[i].pid)
            kill(z->workers[i].pid, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        continue;
    for (int i = 0; i < z->setup->shared->lanes; i++)
        z->workers[i].pid = 0; /* their numbers may be others' */
    leave_socket(z->socket);
    _exit(0);
}

/* Until the program reads; it may also end meanwhile. It does not wait for this
 * process to read: its own requests do not block. */
static void
await_room(struct zygote *z)
{
    struct pollfd polled[] = {{z->socket, POLLOUT, 0}, {z->program, POLLIN, 0}};
    (void)cf__await(polled, 2, CF__NEVER);
    if (polled[1].revents)
        end_all(z);
}

/* No report may be lost: the program waits for it. */
static void
report(struct zygote *z,
       enum cf__zygote_news news,
       int lane,
       pid_t pid,
       int status)
{
    struct cf__zygote_report message = {news, lane, pid, status, 0};
    const struct timespec nap = {0, CF__NAP_NS};
    if (lane >= 0)
        message.start = z->workers[lane].start;
    while (
        send(z->socket, &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT) <
        0) {
        if (errno == EAGAIN)
            await_room(z);
        else if (errno == ENOBUFS || errno == ENOMEM)
            (void)nanosleep(&nap, NULL);
        else if (errno != EINTR)
            end_all(z); /* nobody is there; if somebody is, it reads the end */
    }
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
spawn(struct zygote *z, int lane, uint64_t start)
{
    pid_t zygote = getpid();
    pid_t pid = cf__own_fork();
    if (pid == 0) {
        sigset_t none;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != zygote) /* it died before that was armed */
            _exit(CF__EXIT_DONE);
        forget(z);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        cf__worker_main(z->setup, lane, start);
    }
    if (pid < 0)
        report(z, CF__SPAWN_FAILED, lane, 0, errno);
    else
        cf__roster_enter(&z->workers[lane], pid, start);
}

/* --- succession ----------------------------------------------------------- */

static const struct cf__outcome *
outcome_at(const struct zygote *z, int lane, uint64_t position)
{
    size_t at = (size_t)lane * z->setup->shared->lane_out_stride;
    const struct cf__lane_out *out =
        (const struct cf__lane_out *)(const void *)(z->lanes_out + at);
    return &out->outcomes[position % CF__LANE];
}

/* The lane's tasks from p to published have not been begun, and are not all
 * revoked. */
static bool
are_ahead(const struct zygote *z, int lane, uint64_t p, uint64_t published)
{
    bool any = false;
    for (; p != published; p++) {
        /* written by the dead worker, or by the program */
        uint64_t state = cf_load_relaxed(&outcome_at(z, lane, p)->state);
        bool untaken = cf__is_untaken(state, p);
        if (!untaken && state != CF__STATE(p, CF__REVOKED))
            return false;
        any = any || untaken;
    }
    return any;
}

/* A lane's worker has ended with this status: it had run its number of tasks,
 * was in none, and there are more. *next gets where another one begins. */
static bool
has_successor(const struct zygote *z, int lane, int status, uint64_t *next)
{
    const struct cf__roster_entry *w = &z->workers[lane];
    const struct cf__lane_in *in = cf__shared_lane_in(z->setup->shared, lane);
    if (!z->setup->options.max_tasks_per_worker || !z->lanes_out || w->doomed ||
        !WIFEXITED(status) || WEXITSTATUS(status) != CF__EXIT_DONE ||
        cf_load_acquire(&in->quit)) /* pairs with cf__lane_quit */
        return false;
    /* The program's words, which can be trusted; pairs with collect and
     * publish: what is in between, and no other position's, is in the ring. */
    uint64_t p = cf_load_acquire(&in->collected);
    uint64_t published = cf_load_acquire(&in->published);
    /* pairs with the worker's end of a task */
    while (p != published && cf_load_acquire(&outcome_at(z, lane, p)->state) ==
                                 CF__STATE(p, CF__DONE))
        p++;
    *next = p;
    return p > w->start && are_ahead(z, lane, p, published);
}

static void
bury(struct zygote *z, int lane, pid_t pid, int status)
{
    uint64_t next;
    z->workers[lane].pid = 0;
    if (has_successor(z, lane, status, &next))
        spawn(z, lane, next);
    else
        report(z, CF__WORKER_ENDED, lane, pid, status);
}

/* --- the loop ------------------------------------------------------------- */

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
    struct cf__roster_entry *w = &z->workers[request.lane];
    if (request.verb == CF__ZYGOTE_SPAWN) {
        spawn(z, request.lane, request.start);
    } else if (w->pid) { /* not reaped: it is the worker's */
        w->doomed = true;
        kill(w->pid, request.signo);
    }
    return true;
}

/* Buries one child; false: none has ended. */
static bool
reap_one(struct zygote *z)
{
    int status;
    pid_t pid;
    do {
        pid = waitpid(-1, &status, WNOHANG);
    } while (pid < 0 && errno == EINTR);
    if (pid <= 0)
        return false;
    for (int i = 0; i < z->setup->shared->lanes; i++) {
        if (z->workers[i].pid == pid) {
            bury(z, i, pid, status);
            break;
        }
    }
    return true;
}

/* Between two children it serves: there may always be another one. */
_Noreturn static void
loop(struct zygote *z)
{
    struct pollfd polled[] = {{z->socket, POLLIN, 0},
                              {z->signals, POLLIN, 0},
                              {z->program, POLLIN, 0}};
    struct signalfd_siginfo info;
    for (bool more = false;; more = reap_one(z)) {
        (void)cf__await(polled, 3, more ? 0 : CF__NEVER);
        if (polled[2].revents)
            end_all(z); /* the program has ended */
        while (polled[1].revents && read(z->signals, &info, sizeof info) > 0)
            continue;
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

_Noreturn void
cf__zygote_main(const struct cf__worker_setup *setup,
                int socket,
                int program,
                bool inherit_descriptors)
{
    struct zygote z = {setup, setup->roster.entries, NULL, socket, -1, program};
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
    z.lanes_out = cf__shared_view_lanes_out(setup->shared);
    cf__output_begin();
    cf__worker_name(setup, "z");
    if (z.signals < 0 || !cf__roster_keep(&setup->roster) ||
        !cf__shared_restrict(setup->shared)) {
        report(&z, CF__SPAWN_FAILED, -1, getpid(), errno);
        leave_socket(socket);
        _exit(1);
    }
    report(&z, CF__ZYGOTE_READY, -1, getpid(), 0);
    loop(&z);
}
