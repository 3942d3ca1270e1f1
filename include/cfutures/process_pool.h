/* SPDX-License-Identifier: MIT */
/*
 * The process pool: workers are forked processes. The same task functions as
 * in a thread pool; a crash in a task is a failed future, and nothing else.
 *
 * What a task sees. Workers are forked from a snapshot of the program, taken
 * when the pool is created: code, data and heap as they were then, each worker
 * with a copy of its own. No other process sees what a task writes there. What
 * travels: the bytes of the argument and of the result (up to 32 in place,
 * larger ones through shared memory; the argument is read-only), and pointers
 * into the snapshot or into memory of cf_shared_alloc(). Functions of
 * libraries that were loaded later do not exist in a worker.
 *
 * What a worker inherits. Standard input, output and error; other descriptors
 * are closed, so that no worker keeps a pipe or a socket of the program open,
 * unless inherit_descriptors is set. A task, an initializer or the program may
 * close all descriptors that it finds, and open others in their places: the
 * pool uses none. What the program had buffered for stdout and stderr is
 * discarded in the worker; what tasks print there is written when the worker
 * becomes idle or ends, also by exit() and quick_exit(), but not by _exit() or
 * a signal. Other files (FILE *) that a task opens are its own to flush and
 * close: they are not flushed for it. Signals that the program handles have
 * their default action, signals that it ignores stay ignored, SIGINT is
 * ignored (a Ctrl-C is for the program), none is blocked. SIGSEGV, SIGBUS,
 * SIGILL and SIGFPE, if they have their default action, get a handler of the
 * pool's. It notes the address, for cf_error.address and the message, and then
 * the signal kills the worker as if there were no handler. In the worker's
 * first thread it has a stack of its own (sigaltstack()). A task or an
 * initializer may set others.
 *
 * Everything else a worker has from the snapshot, too, so a worker that comes
 * later has it as the first one did: the user, groups and capabilities; umask,
 * working directory and root; process group and session; CPU affinity,
 * scheduling class and niceness, and thread-local variables, of the thread that
 * created the pool; resource limits; the environment. What the program changes
 * afterwards (setuid(), chdir(), umask(), chroot(), setrlimit(), setenv()) does
 * not change it: a program that gives up its privileges does so before it
 * creates the pool, or in the initializer. The stack is the pool's own
 * (stack_size), with a guard of 1 MiB: an overflow is a SIGSEGV (of a frame
 * that is larger than that, only if it was compiled with
 * -fstack-clash-protection). pthread_getattr_np() gives the stack of the thread
 * that created the pool, not this one. The stack is executable if the program's
 * are.
 *
 * What other children of the program see. A child that the program forks does
 * not have the pool's shared memory: a pointer of cf_shared_alloc() leads
 * nowhere there. Results that it has got it keeps. mlockall() with MCL_FUTURE
 * before the pool is created does not fill the memory that is reserved; with
 * MCL_CURRENT, afterwards, it does, unless MCL_ONFAULT is given.
 *
 * What the program sees. Nothing of the workers: they are no children of it,
 * wait() neither returns nor waits for them, and SIGCHLD does not come for
 * them. Once, while the pool is created, a child of the program ends, and is
 * reaped by its process id before cf_process_pool_create() returns; a SIGCHLD
 * for it may be delivered. (A program that is init, as in many containers, or
 * that has made itself a subreaper, is given one process as its child: it lives
 * as long as the pool, which reaps it.) In a container whose process 1 does not
 * reap, a zombie of each pool's helper process stays until the container ends,
 * and of the workers too if the program is killed: `docker run --init` has a
 * process 1 that reaps. A signal that is sent to the program's
 * whole process group ends workers, if it is not ignored there; others take
 * their places. Workers are gone when the pool is, and within 100 ms
 * when the program dies, even by SIGKILL; also those that have changed their
 * user. (But if the program and the pool's helper process, <prefix>_z, are
 * killed in one moment, a task that has changed its user goes on to its end.)
 *
 * The helper process forks and reaps the workers. If it dies, the workers die
 * with it, and the pool is broken. While it is stopped (SIGSTOP, a debugger, a
 * frozen cgroup) workers that exist go on, but no death is noticed: the task
 * of a worker that has died stays running, no worker takes its place, no worker
 * is killed for a timeout, and a shutdown waits. All that is made up for when
 * it goes on. It keeps the user that the program had when the pool was
 * created, and so can end workers that the program itself may not signal any
 * more.
 */
#ifndef CFUTURES_PROCESS_POOL_H
#define CFUTURES_PROCESS_POOL_H

#include <cfutures/executor.h>

CF_BEGIN_DECLS

/* What becomes of the pool when a worker dies in a task. */
typedef enum cf_on_worker_death {
    CF_WORKER_REPLACE, /* its task fails, another worker takes its place */
    CF_WORKER_BREAK    /* as in Python: every task fails with CF_EBROKEN, and
                          so do later submits */
} cf_on_worker_death;

/* Zero is the default of every field but size, which CF_PROCESS_POOL_OPTIONS()
 * and CF_PROCESS_POOL_OPTIONS_INIT set: 0 is CF_EINVAL. */
typedef struct cf_process_pool_options {
    size_t size;             /* sizeof(cf_process_pool_options) */
    int max_workers;         /* 0: cf_cpu_count(); at most 1024 */
    const char *name_prefix; /* worker process i is called <prefix>_<i> (as ps
                                shows it), the prefix cut so that this fits in
                                15 bytes. NULL: "cfp<k>", with another k for
                                every pool */
    cf_initializer_fn *initializer; /* once in each worker, before its tasks */
    cf_finalizer_fn *finalizer;     /* once in each worker that ends by
                                       itself, not in one that dies */
    void *init_data;                /* for both: part of the snapshot */
    size_t queue_capacity;          /* tasks queued; 0: unbounded */
    cf_queue_policy queue_policy;   /* what a submit to a full queue does */
    size_t max_tasks_per_worker;    /* a worker ends after so many, and another
                                    takes its place; 0: never */
    cf_on_worker_death on_worker_death;
    int64_t kill_grace_ns; /* how long an interrupted task may go on before its
                              worker gets SIGTERM, and how long a worker may go
                              on after SIGTERM before it gets SIGKILL. At the
                              pool's end, how long a worker without a task may
                              take to end (it is stopped, or its initializer or
                              finalizer hangs), before that. 0: 5 s */
    size_t memory_limit;   /* bytes of private memory that a worker may add to
                              what it was forked with: beyond, malloc() gives
                              NULL. 0: no limit */
    size_t shared_memory;  /* bytes of address space to reserve for arguments
                              and results, and as much again for
                              cf_shared_alloc(); memory is used only as far as
                              it is filled. 0: twice the machine's memory. The
                              environment variable CF_SHARED_MEMORY, such as
                              512M, overrides it. All that a pool reserves is
                              no more than an eighth of what the system and
                              the program's limits (ulimit -v, -d) leave; if
                              the system refuses, less is reserved */
    int inherit_descriptors; /* not 0: workers keep what descriptors the
                                program had open when the pool was created */
    size_t stack_size; /* bytes that tasks have; 0: as much as the system's
                          default for threads, but no less than 8 MiB */
} cf_process_pool_options;

#define CF_PROCESS_POOL_OPTIONS_INIT                                           \
    {                                                                          \
        sizeof(cf_process_pool_options), 0, NULL, NULL, NULL, NULL, 0,         \
            CF_QUEUE_BLOCK, 0, CF_WORKER_REPLACE, 0, 0, 0, 0, 0                \
    }
#ifndef __cplusplus
#define CF_PROCESS_POOL_OPTIONS(...)                                           \
    CF_WITH_SIZE(cf_process_pool_options, __VA_ARGS__)
#endif

/**
 * Makes a process pool, and the snapshot that its workers will be forked from:
 * create it early, before the program is large. Workers start when there is
 * work for them.
 *
 * How tasks end here that would end a program: a task whose worker dies (a
 * fatal signal, exit(), _exit(), stack overflow, the kernel's out-of-memory
 * killer) fails with CF_EWORKERDIED, and the future's error has pid, and signal
 * or exit_status. The other tasks go on, the worker is replaced. A task that
 * was started is never started again. exit() in a task does not run the
 * program's atexit handlers, nor quick_exit() those of at_quick_exit(); what
 * the task itself has registered is run. A task that outruns its timeout fails
 * with CF_EDEADLINE at that moment and its worker is killed (SIGTERM, then
 * SIGKILL after kill_grace_ns); an interrupted task that does not end within
 * kill_grace_ns is killed likewise and fails with CF_ECANCELED.
 *
 * A failing initializer breaks the pool: pending and later tasks get
 * CF_EBROKEN, running ones finish. A worker that cannot be forked for want of
 * memory or processes (EAGAIN, ENOMEM) is tried again after a pause; meanwhile
 * the pool goes on with the others, and without any it breaks after 5 seconds.
 * After other failures it is not tried again.
 *
 * Submits inside tasks run at once in the same worker, in cf_submit(): so
 * waiting in a task cannot deadlock. What cf_call_executor() gives is that
 * worker's own: shutdown and terminate are CF_ENOTSUP, destroy does nothing.
 *
 * A task may fork (fork(), daemon(), clone() without CLONE_VM). A child that
 * returns from it, or from the initializer or the finalizer, ends there, by
 * _exit(): status 0 if it returned 0, else 1. What it gave to cf_return() or
 * cf_fail() is dropped; only memory of cf_return_buffer() from before the fork
 * is shared with the task. After daemon() it is the worker that has died. A
 * child that goes on for ever is the task's to end. As everywhere, a child of
 * vfork() must not return.
 *
 * Tasks of equal priority are handed to the workers in submission order. A
 * worker has some short ones in hand ahead, which others may overtake: by less
 * than 128 places for each worker, and by few if they run for more than 2 ms.
 *
 * Callbacks run in a thread of the pool in the program; waiting in them is
 * allowed.
 *
 * @param opts      NULL: defaults. Copied, name_prefix included.
 * @param[out] out  The pool; untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL   out is NULL, or max_workers is negative or too large, or
 *                     queue_policy or on_worker_death is none, or
 *                     kill_grace_ns is negative, or opts->size is no size,
 *                     or stack_size is not 0 and below the system's minimum.
 * @retval CF_ETOOBIG  opts->size says fields that this library does not know,
 *                     and they are not zero.
 * @retval CF_ENOTSUP  Called in a fork handler (pthread_atfork()) that runs
 *                     because a process pool is being made, or a worker. Or the
 *                     library was built without process pools, with
 *                     CF_PROCESS_POOL=OFF.
 * @retval CF_ENOMEM   No memory, or no address space to reserve.
 * @retval CF_ESYS     fork(), socketpair() or pthread_create() failed, or there
 *                     is no memory for the stack (errno).
 *
 * Ownership: *out is the caller's; cf_executor_destroy() it.
 * Threads:   any number of callers, also while other threads run; two pools
 *            share nothing.
 * Blocks:    for two fork()s, which call the program's fork handlers, as do
 *            those of the workers, in the pool's own processes.
 * Ordering:  writes before the call are in the snapshot.
 * Fork:      the pool is of the process that created it; children forked by
 *            the application get CF_EFORKED.
 * Python:    ProcessPoolExecutor(max_workers, initializer, initargs,
 *            max_tasks_per_child), with a "fork server".
 */
CF_API CF_NODISCARD cf_err
cf_process_pool_create(const cf_process_pool_options *opts, cf_executor **out);

CF_END_DECLS

#endif
