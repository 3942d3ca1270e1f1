/* SPDX-License-Identifier: MIT */
/*
 * The zygote's process: see zygote.h. After its start it takes no lock and
 * allocates nothing, as it is a fork of a program that may have been doing
 * anything. The working thread does all of this; the watching thread is in
 * watch.c.
 */
#include "process_pool/zygote/zygote.h"

#include "process_pool/worker/output.h"
#include "process_pool/zygote/crash.h"
#include "process_pool/zygote/own_fork.h"
#include "process_pool/zygote/watch.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct zygote {
    const struct cf__worker_setup *setup;
    struct cf__post *post;
    struct cf__roster_entry *workers; /* by lane, in memory of the roster */
    uint32_t *spawns;                 /* by lane: how many spawn requests have
                                         been done */
    const unsigned char *lanes_out;   /* only to look at; NULL: it cannot */
    int lifeline, program;            /* descriptors; program may be -1 */
    uint32_t cuts;                    /* of the lifeline: how many have been
                                         looked into */
};

/* The signal's handler can find nothing else. */
static struct cf__post *the_post;

/* Says the first words; error: an errno. */
static void
say(struct cf__post *post, uint32_t what, int error)
{
    cf_store_relaxed(&post->zygote, getpid());
    cf_store_relaxed(&post->error, error);
    /* pairs with await_first_words and hear_first_words in zygote.c */
    cf_store_release(&post->said, what);
    cf__futex_wake_shared(&post->said, INT_MAX);
}

/* Reports on a lane, whose last report has been read: that was before the
 * spawn. */
static void
report(const struct zygote *z,
       enum cf__zygote_news news,
       int lane,
       pid_t pid,
       int status)
{
    struct cf__post_lane *to = &z->post->lanes[lane];
    cf_store_relaxed(&to->news, news);
    cf_store_relaxed(&to->pid, pid);
    cf_store_relaxed(&to->status, status);
    cf_store_relaxed(&to->began, z->workers[lane].start);
    cf_store_release(&to->full, 1);     /* pairs with take_report */
    cf_bump_release(&z->post->reports); /* pairs with cf__zygote_receive */
    cf__bell_ring(z->setup->shared->bell);
}

/* Closes what the zygote needs and a worker does not. */
static void
forget(const struct zygote *z)
{
    close(z->lifeline);
    if (z->program >= 0)
        close(z->program);
}

/* Forks a worker with all signals blocked. */
static void
spawn(struct zygote *z, int lane, uint64_t start)
{
    pid_t zygote = getpid();
    sigset_t all, old;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    pid_t pid = cf__own_fork();
    if (pid == 0) {
        sigset_t none;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != zygote) /* the zygote died before that was armed */
            _exit(CF__EXIT_DONE);
        forget(z);
        (void)signal(SIGCHLD, SIG_DFL);
        cf__crash_enter(cf__shared_lane_out(z->setup->shared, lane));
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        cf__worker_main(z->setup, lane, start);
    }
    int error = errno;
    if (pid < 0)
        report(z, CF__SPAWN_FAILED, lane, 0, error);
    else
        cf__roster_enter(&z->workers[lane], pid, start);
    sigprocmask(SIG_SETMASK, &old, NULL);
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

/* No task of the lane from p to published has begun, and not all are
 * revoked. */
static bool
are_ahead(const struct zygote *z, int lane, uint64_t p, uint64_t published)
{
    bool any = false;
    for (; p != published; p++) {
        /* written by the dead worker, or by the program */
        uint64_t state = cf_load_relaxed(&outcome_at(z, lane, p)->state);
        bool untaken = cf__is_untaken(state, p);
        if (!untaken && state != cf__position_state(p, CF__REVOKED))
            return false;
        any = any || untaken;
    }
    return any;
}

/* A worker that ended with this status needs a successor: it had run its number
 * of tasks and was in none, and its lane has more. *next gets the position at
 * which the successor begins. */
static bool
has_successor(const struct zygote *z, int lane, int status, uint64_t *next)
{
    const struct cf__roster_entry *w = &z->workers[lane];
    const struct cf__lane_in *in = cf__shared_lane_in(z->setup->shared, lane);
    if (!z->setup->options.max_tasks_per_worker || !z->lanes_out || w->doomed ||
        !WIFEXITED(status) || WEXITSTATUS(status) != CF__EXIT_DONE ||
        cf_load_acquire(&in->quit)) /* pairs with cf__lane_quit */
        return false;
    /* These are the program's words, and can be trusted. They pair with
     * cf__processes_collect and cf__lane_publish: all positions in between, and
     * no others, are in the ring. */
    uint64_t p = cf_load_acquire(&in->collected);
    uint64_t published = cf_load_acquire(&in->published);
    /* pairs with run_next in worker.c */
    while (p != published && cf_load_acquire(&outcome_at(z, lane, p)->state) ==
                                 cf__position_state(p, CF__DONE))
        p++;
    *next = p;
    return p > w->start && are_ahead(z, lane, p, published);
}

static void
replace_or_report(struct zygote *z, int lane, pid_t pid, int status)
{
    uint64_t next;
    cf_store_relaxed(&z->workers[lane].pid, 0);
    if (has_successor(z, lane, status, &next))
        spawn(z, lane, next);
    else
        report(z, CF__WORKER_ENDED, lane, pid, status);
}

/* --- the loop ------------------------------------------------------------- */

/* Ends all workers, and the zygote. */
_Noreturn static void
end_all(struct zygote *z)
{
    for (int i = 0; i < z->setup->shared->lanes; i++)
        if (cf_load_relaxed(&z->workers[i].pid)) /* our own */
            kill(cf_load_relaxed(&z->workers[i].pid), SIGKILL);
    cf__watch_end();
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        continue;
    for (int i = 0; i < z->setup->shared->lanes; i++)
        /* their numbers may be other processes' by now */
        cf_store_relaxed(&z->workers[i].pid, 0);
    cf__bell_disown(z->setup->shared->bell, &z->post->pulse);
    _exit(0);
}

/* Does what is asked for a lane: a spawn, then a kill. */
static void
obey(struct zygote *z, int lane)
{
    struct cf__post_lane *from = &z->post->lanes[lane];
    struct cf__roster_entry *w = &z->workers[lane];
    /* pairs with cf__zygote_kill: the spawn of the worker to be killed is
     * seen */
    uint64_t order = cf_load_acquire(&from->kill);
    /* pairs with cf__zygote_spawn */
    uint32_t spawns = cf_load_acquire(&from->spawns);
    if (spawns != z->spawns[lane]) {
        z->spawns[lane] = spawns;
        spawn(z, lane, cf_load_relaxed(&from->start));
    }
    if (order == cf_load_relaxed(&from->killed)) /* our own */
        return;
    pid_t pid = cf_load_relaxed(&w->pid); /* our own */
    if (pid &&
        order >> 32 == z->spawns[lane]) { /* not reaped: so the number is still
                                             that worker's */
        w->doomed = true;
        kill(pid, (int)(order & 0xff));
    }
    cf_store_relaxed(&from->killed, order);
}

/* The lifeline has been cut. true: the program has ended, or has called exec(),
 * which ends the manager. false: the program closes what it finds open, which
 * means nothing. */
static bool
has_ended(const struct cf__post *post, pid_t manager)
{
    pid_t program = cf_load_relaxed(&post->program); /* from before the fork */
    return syscall(SYS_tgkill, program, manager, 0) != 0 && errno == ESRCH;
}

/* The program has ended, or asks for the zygote's end. */
static bool
must_end(struct zygote *z)
{
    struct cf__post *post = z->post;
    /* pairs with cf__zygote_stop, and with tell in watch.c */
    if (cf_load_acquire(&post->stop) || cf_load_acquire(&post->gone))
        return true;
    uint32_t cuts = cf_load_acquire(&post->cuts);
    /* pairs with cf__zygote_attach */
    pid_t manager = cf_load_acquire(&post->manager);
    if (cuts == z->cuts)
        return false;
    z->cuts = cuts;
    return has_ended(post, manager);
}

static uint64_t
time_of(const struct rusage *used)
{
    const struct timeval *user = &used->ru_utime, *system = &used->ru_stime;
    return (uint64_t)(CF__S(user->tv_sec + system->tv_sec) +
                      CF__US(user->tv_usec + system->tv_usec));
}

/* Reaps one child; false: none has ended. */
static bool
reap_one(struct zygote *z)
{
    int status;
    pid_t pid;
    struct rusage used;
    do {
        pid = wait4(-1, &status, WNOHANG, &used);
    } while (pid < 0 && errno == EINTR);
    if (pid <= 0)
        return false;
    if (cf__watch_reaped(pid))
        /* no process would tell it later */
        cf_store_relaxed(&z->post->gone, 1);
    for (int i = 0; i < z->setup->shared->lanes; i++) {
        if (cf_load_relaxed(&z->workers[i].pid) == pid) {
            _Atomic uint64_t *cpu_ns = &z->post->lanes[i].cpu_ns;
            cf_store_relaxed(cpu_ns, cf_load_relaxed(cpu_ns) + time_of(&used));
            replace_or_report(z, i, pid, status);
            break;
        }
    }
    return true;
}

static void
hear_child(int signo)
{
    (void)signo;
    /* pairs with loop's load: it reaps, or does not sleep */
    cf_fetch_add_seq_cst(&the_post->wake, 1);
}

/* The working thread. It looks at the requests between any two children that it
 * reaps: with many lanes there may always be another child. */
static int
loop(void *zygote)
{
    struct zygote *z = zygote;
    sigset_t chld;
    cf__bell_own(z->setup->shared->bell, &z->post->pulse);
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_UNBLOCK, &chld, NULL);
    say(z->post, CF__SAID_READY, 0);
    for (;;) {
        /* pairs with cf__post_wake: loop sees what was done before, or does not
         * sleep */
        uint32_t wake = cf_load_seq_cst(&z->post->wake);
        if (must_end(z))
            end_all(z);
        for (int i = 0; i < z->setup->shared->lanes; i++)
            obey(z, i);
        if (!reap_one(z))
            (void)cf__futex_wait_shared(&z->post->wake, wake);
    }
}

/* As after exec(): no handlers, and what was ignored stays ignored. */
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
    action.sa_handler = hear_child;
    action.sa_flags = SA_NOCLDSTOP | SA_RESTART;
    sigemptyset(&action.sa_mask);
    /* if it were ignored, the kernel would reap for us */
    (void)sigaction(SIGCHLD, &action, NULL);
    (void)signal(SIGINT, SIG_IGN); /* a Ctrl-C is for the program */
}

_Noreturn void
cf__zygote_main(const struct cf__worker_setup *setup,
                struct cf__post *post,
                int lifeline,
                int program)
{
    static struct zygote z;
    z = (struct zygote){.setup = setup,
                        .post = post,
                        .workers = setup->roster.entries,
                        .lifeline = lifeline,
                        .program = program};
    size_t size = (size_t)setup->shared->lanes * sizeof *z.spawns;
    sigset_t all;
    the_post = post;
    /* Signals to the program's whole group are for the program and the
     * workers. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    reset_signals();
    cf__crash_watch();
    if (!setup->options.inherit_descriptors) {
        const int kept[] = {lifeline, program};
        cf__close_all_but(kept, 2);
    }
    z.spawns = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    z.lanes_out = cf__shared_view_lanes_out(setup->shared);
    cf__output_begin();
    cf__worker_name(setup, "z");
    bool fits =
        z.spawns != MAP_FAILED && cf__roster_keep(&setup->roster) &&
        cf__shared_restrict(setup->shared) &&
        madvise(post, cf__post_size(setup->shared->lanes), MADV_DONTFORK) == 0;
    const struct cf__watch watch = {
        post, cf__post_size(setup->shared->lanes), program, lifeline};
    int error = fits ? cf__watch_and_run(&watch,
                                         setup->options.stack_size,
                                         setup->executable_stack,
                                         loop,
                                         &z)
                     : errno;
    say(post, CF__SAID_FAILED, error);
    _exit(1);
}
