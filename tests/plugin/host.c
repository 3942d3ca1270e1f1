/* SPDX-License-Identifier: MIT */
/*
 * host PLUGIN SCENARIO: loads the plugin, uses it, and lets go of it, in one of
 * the ways below. A fault that is looked for ends it by a signal.
 */
#include "tests/plugin/plugin.h"

#include "tests/support/program.h"
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TSAN 1
#endif
#endif
#ifndef TSAN
#define TSAN 0
#endif

enum { SKIPPED = 77, AGAIN = 20 };

static const char *path;
static void *handle;

static const struct plugin *
load(void)
{
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        fprintf(stderr, "%s\n", dlerror());
    CHECK(handle);
    const struct plugin *plugin = dlsym(handle, "the_plugin");
    CHECK(plugin);
    return plugin;
}

static void
let_go(void)
{
    CHECK(dlclose(handle) == 0);
}

/* Forks, which runs the fork handlers of all that is loaded. */
static void
fork_once(void)
{
    pid_t child = fork_child();
    if (child == 0)
        _exit(0);
    expect_success(child);
}

/* --- a thread that has used the plugin ends when it is gone -------------- */

static sem_t used, gone;

static void *
use_and_end_later(void *unused)
{
    (void)unused;
    CHECK(load()->work());
    sem_post(&used);
    sem_wait(&gone);
    return NULL;
}

static void
thread_ends_later(void)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, use_and_end_later, NULL) == 0);
    sem_wait(&used);
    let_go();
    fork_once();
    sem_post(&gone);
    CHECK(pthread_join(thread, NULL) == 0);
}

/* --- its pool is at work when it is gone --------------------------------- */

static atomic_int rounds;
static atomic_bool enough;

static int
run_on(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    while (!atomic_load(&enough)) {
        sem_post(&used);
        sem_wait(&gone);
        atomic_fetch_add(&rounds, 1);
    }
    return 0;
}

/* The end of the program waits for the task. */
static void
say_rounds(void)
{
    CHECK(atomic_load(&rounds) == 2);
}

static void
busy_pool(void)
{
    CHECK(atexit(say_rounds) == 0); /* after the library's */
    CHECK(load()->begin(run_on, NULL));
    sem_wait(&used);
    let_go();
    fork_once();
    sem_post(&gone);
    sem_wait(&used);
    atomic_store(&enough, true);
    sem_post(&gone);
}

/* --- it does not stay without a reason, nor grow ------------------------- */

static void
unused(void)
{
    (void)load();
    let_go();
    if (strstr(path, "archive"))
        CHECK(!dlopen(path, RTLD_NOW | RTLD_NOLOAD));
    fork_once();
}

static long
pages_of_address_space(void)
{
    char line[64];
    FILE *file = fopen("/proc/self/statm", "re");
    CHECK(file && fgets(line, sizeof line, file));
    fclose(file);
    return strtol(line, NULL, 10);
}

static void *
use_once(void *unused_argument)
{
    (void)unused_argument;
    CHECK(load()->work());
    let_go();
    return NULL;
}

static void
again(void)
{
    long before = 0;
    for (int i = 0; i < AGAIN; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, use_once, NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        if (i == AGAIN / 2)
            before = pages_of_address_space();
    }
    /* If each load took more: a chunk of blocks and a megabyte of stack. */
    const long limit = 16L * (AGAIN - AGAIN / 2 - 1);
    long more = pages_of_address_space() - before;
    if (more >= limit)
        fprintf(stderr, "%ld pages more\n", more);
    CHECK(more < limit);
}

/* --- futures without executors ------------------------------------------- */

static void *
promise_and_let_go(void *unused_argument)
{
    (void)unused_argument;
    CHECK(load()->promise());
    let_go();
    return NULL;
}

static void
promise(void)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, promise_and_let_go, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    fork_once();
}

/* --- fork handlers that were registered before the library was loaded ---- */

static const struct plugin *loaded;
static int went_well;

static void
in_program(void)
{
    if (loaded)
        went_well += loaded->work();
}

static void
in_child(void)
{
    alarm(30);
    if (loaded)
        went_well += loaded->refused() && loaded->work();
}

static void
handlers(void)
{
    CHECK(pthread_atfork(in_program, in_program, in_child) == 0);
    loaded = load();
    CHECK(loaded->begin(run_on, NULL));
    sem_wait(&used);
    pid_t child = fork_child();
    if (child == 0)
        _exit(went_well == 2 && loaded->refused() ? 0 : 1);
    expect_success(child);
    CHECK(went_well == 2);
    atomic_store(&enough, true);
    sem_post(&gone);
}

/* ------------------------------------------------------------------------ */

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {
        {"thread_ends_later", thread_ends_later},
        {"busy_pool", busy_pool},
        {"unused", unused},
        {"again", again},
        {"promise", promise},
        {"handlers", handlers},
    };
    CHECK(argc == 3);
    if (TSAN) {
        puts("skipped: ThreadSanitizer has no threads after a fork");
        return SKIPPED;
    }
    path = argv[1];
    sem_init(&used, 0, 0);
    sem_init(&gone, 0, 0);
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        if (strcmp(argv[2], scenarios[i].name) == 0) {
            scenarios[i].run();
            return EXIT_SUCCESS;
        }
    }
    return EXIT_FAILURE;
}
