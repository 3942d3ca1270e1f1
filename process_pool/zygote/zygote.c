/* SPDX-License-Identifier: MIT */
/* The program's side of the zygote: see zygote.h. */
#include "process_pool/zygote/zygote.h"

#include "lib/base/clock.h"
#include "process_pool/zygote/own_fork.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_NS CF__MS(10)

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

/* In the process between, which is the zygote's parent and so knows for certain
 * when the zygote ends: waits for its first words, or for its end. */
static void
await_first_words(struct cf__post *post, pid_t zygote)
{
    /* pairs with say in zygote_main.c */
    while (!cf_load_acquire(&post->said)) {
        cf__futex_wait_shared_until(&post->said, 0, cf__now_ns() + LOOK_NS);
        pid_t ended = waitpid(zygote, NULL, WNOHANG);
        if (ended == zygote || (ended < 0 && errno != EINTR))
            return;
    }
}

/* The zygote has said its first words, or has ended. */
static cf_err
hear_first_words(struct cf__zygote *zygote)
{
    const struct cf__post *post = zygote->post;
    /* pairs with say in zygote_main.c */
    switch (cf_load_acquire(&post->said)) {
    case CF__SAID_READY:
        zygote->pid = cf_load_relaxed(&post->zygote);
        zygote->adopted = is_child(zygote->pid);
        return CF_OK;
    case CF__SAID_FAILED:
        zygote->pid = cf_load_relaxed(&post->zygote);
        zygote->adopted = is_child(zygote->pid);
        errno = cf_load_relaxed(&post->error);
        return CF_ESYS;
    default:
        errno = EAGAIN;
        return CF_ESYS;
    }
}

/* Forks a child that forks the zygote and ends: so the zygote is no child of
 * the program. Returns an errno. */
static int
fork_twice(const struct cf__worker_setup *setup,
           struct cf__post *post,
           const int sockets[2],
           int program)
{
    pid_t between = cf__own_fork();
    if (between == 0) {
        pid_t pid = cf__own_fork();
        if (pid < 0)
            _exit(errno);
        if (pid > 0) {
            close(sockets[0]);
            close(sockets[1]);
            await_first_words(post, pid);
            _exit(0);
        }
        close(sockets[0]);
        cf__zygote_main(setup, post, sockets[1], program);
    }
    if (between < 0)
        return errno;
    int status = 0;
    pid_t reaped;
    do {
        reaped = waitpid(between, &status, 0);
    } while (reaped < 0 && errno == EINTR);
    /* ECHILD: a handler of the program has reaped it; the post says the rest */
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

/* Forks the zygote, and hears its first words. */
static cf_err
fork_zygote(struct cf__zygote *zygote,
            const struct cf__worker_setup *setup,
            const int sockets[2])
{
    int program = -1; /* without it, the lifeline tells of the program's end */
#ifdef SYS_pidfd_open
    program = (int)syscall(SYS_pidfd_open, getpid(), 0);
#endif
    sigset_t all, old; /* no handler of the program must run in the child */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int error = fork_twice(setup, zygote->post, sockets, program);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    close(sockets[1]);
    if (program >= 0)
        close(program);
    if (!error)
        return hear_first_words(zygote);
    errno = error;
    return CF_ESYS;
}

static bool
open_post(struct cf__zygote *zygote, int lanes)
{
    size_t size = cf__post_size(lanes);
    void *post = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (post == MAP_FAILED)
        return false;
    zygote->lanes = lanes;
    zygote->post = post;
    /* before the fork */
    cf_store_relaxed(&zygote->post->program, getpid());
    cf_store_relaxed(&zygote->post->manager, getpid());
    return true;
}

cf_err
cf__zygote_start(struct cf__zygote *zygote,
                 const struct cf__worker_setup *setup)
{
    int sockets[2];
    if (!open_post(zygote, setup->shared->lanes))
        return CF_ENOMEM;
    if (!open_sockets(sockets)) {
        cf__zygote_close(zygote);
        return CF_ESYS;
    }
    zygote->lifeline = cf__own(sockets[0]);
    cf_err err = fork_zygote(zygote, setup, sockets);
    if (err)
        cf__zygote_close(zygote);
    else /* children that the program forks later do not have it */
        (void)madvise(
            zygote->post, cf__post_size(zygote->lanes), MADV_DONTFORK);
    return err;
}

void
cf__zygote_attach(const struct cf__zygote *zygote)
{
    /* pairs with must_end in zygote_main.c */
    cf_store_release(&zygote->post->manager, (int32_t)syscall(SYS_gettid));
    cf__post_wake(zygote->post);
}

bool
cf__zygote_spawn(const struct cf__zygote *zygote, int lane, uint64_t start)
{
    struct cf__post_lane *to = &zygote->post->lanes[lane];
    if (cf__pulse_stopped(&zygote->post->pulse))
        return false;
    cf_store_relaxed(&to->start, start);
    /* pairs with obey in zygote_main.c */
    cf_bump_release(&to->spawns);
    cf__post_wake(zygote->post);
    return true;
}

bool
cf__zygote_kill(const struct cf__zygote *zygote, int lane, int signo)
{
    struct cf__post_lane *to = &zygote->post->lanes[lane];
    uint64_t last = cf_load_relaxed(&to->kill); /* our own */
    if (cf_load_relaxed(&to->killed) != last)
        return false;
    uint64_t spawn = cf_load_relaxed(&to->spawns); /* our own */
    uint64_t number = ((last >> 8) + 1) & 0xffffff;
    /* pairs with obey in zygote_main.c: it knows of the spawn */
    cf_store_release(&to->kill, spawn << 32 | number << 8 | (uint64_t)signo);
    cf__post_wake(zygote->post);
    return true;
}

/* Takes the report of a lane; false: there is none. */
static bool
take_report(struct cf__post_lane *from, struct cf__zygote_report *out)
{
    if (!cf_load_acquire(&from->full)) /* pairs with report in zygote_main.c */
        return false;
    out->news = (enum cf__zygote_news)cf_load_relaxed(&from->news);
    out->pid = cf_load_relaxed(&from->pid);
    out->status = cf_load_relaxed(&from->status);
    out->start = cf_load_relaxed(&from->began);
    /* The next report comes after the next spawn, which publishes this. */
    cf_store_relaxed(&from->full, 0);
    return true;
}

/* The zygote has ended, where the kernel does not tell. */
static bool
has_vanished(const struct cf__zygote *zygote)
{
    siginfo_t info = {.si_pid = 0};
    if (!cf__zygote_is_silent(zygote))
        return false;
    if (zygote->adopted) {
        const int how = WEXITED | WNOHANG | WNOWAIT;
        return waitid(P_PID, (id_t)zygote->pid, &info, how) != 0 ||
               info.si_pid != 0;
    }
    return kill(zygote->pid, 0) != 0 && errno == ESRCH;
}

int
cf__zygote_receive(struct cf__zygote *zygote, struct cf__zygote_report *out)
{
    /* First: so what the zygote reported before it ended is heard, too. */
    bool gone = cf__pulse_stopped(&zygote->post->pulse) || has_vanished(zygote);
    /* pairs with report in zygote_main.c */
    uint32_t reports = cf_load_acquire(&zygote->post->reports);
    for (int i = 0; i < zygote->lanes && zygote->heard != reports; i++) {
        int lane = zygote->next_lane;
        zygote->next_lane = lane + 1 < zygote->lanes ? lane + 1 : 0;
        if (take_report(&zygote->post->lanes[lane], out)) {
            out->lane = lane;
            zygote->heard++;
            return 1;
        }
    }
    return gone ? -1 : 0;
}

void
cf__zygote_stop(const struct cf__zygote *zygote)
{
    /* pairs with must_end in zygote_main.c */
    cf_store_release(&zygote->post->stop, 1);
    cf__post_wake(zygote->post);
}

void
cf__zygote_abandon(struct cf__zygote *zygote)
{
    cf__owned_close(&zygote->lifeline);
    zygote->post = NULL;
}

void
cf__zygote_close(struct cf__zygote *zygote)
{
    if (zygote->post) {
        cf__zygote_stop(zygote); /* if it still runs */
        (void)munmap(zygote->post, cf__post_size(zygote->lanes));
    }
    cf__zygote_abandon(zygote);
}

void
cf__zygote_reap(struct cf__zygote *zygote)
{
    if (!zygote->adopted)
        return;
    /* ECHILD: the program has reaped it */
    while (waitpid(zygote->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    zygote->adopted = false;
}
