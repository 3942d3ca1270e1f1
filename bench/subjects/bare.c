/* SPDX-License-Identifier: MIT */
/*
 * The least that can be called a pool: futures of 64 bytes in one block, a
 * list that workers take whole, a wake-up only when the list was empty. No
 * cancel, errors, callbacks, counts, stealing or recycling: a floor for the
 * figures, not something to use.
 */
#include "common/bench.h"
#include "common/subject.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#define SPINS 200 /* looks at the list before a worker sleeps */

typedef struct slot {
    _Alignas(64) struct slot *next;
    uint64_t arg;
    uint64_t result;
    atomic_bool done;
} slot;

struct batch {
    slot *slots;
    uint64_t *results;
    size_t n;
};

static _Atomic(slot *) head; /* newest first */
static _Alignas(64) atomic_int sleepers;
static atomic_bool waking; /* a wake-up is on its way */
static atomic_bool stopping;
static sem_t wake;

static void
wake_one(void)
{
    if (atomic_load(&sleepers) > 0 && !atomic_exchange(&waking, true))
        sem_post(&wake);
}

/* Takes the whole list and turns it round: oldest first. */
static slot *
take_all(void)
{
    slot *list = atomic_exchange(&head, NULL);
    slot *oldest = NULL;

    while (list) {
        slot *next = list->next;
        list->next = oldest;
        oldest = list;
        list = next;
    }
    return oldest;
}

/* The list is looked at once more after the sleeper has counted itself, so a
 * push that saw no sleeper is seen here. */
static void
sleep_until_pushed(void)
{
    atomic_fetch_add(&sleepers, 1);
    while (!atomic_load(&head) && !atomic_load(&stopping)) {
        sem_wait(&wake);
        atomic_store(&waking, false);
    }
    atomic_fetch_sub(&sleepers, 1);
}

static void *
worker_main(void *data)
{
    int idle = 0;

    (void)data;
    while (!atomic_load(&stopping)) {
        slot *s = atomic_load(&head) ? take_all() : NULL;
        if (!s && ++idle > SPINS) {
            sleep_until_pushed();
            idle = 0;
        }
        while (s) {
            slot *next = s->next; /* the owner may reuse s once it is done */
            s->result = bench_task(s->arg);
            atomic_store_explicit(&s->done, true, memory_order_release);
            s = next;
            idle = 0;
        }
    }
    return NULL;
}

void
subject_run(int workers, void (*body)(void *data), void *data)
{
    pthread_t *threads = bench_alloc((size_t)workers, sizeof(*threads));

    if (sem_init(&wake, 0, 0) != 0)
        bench_die("sem_init failed");
    for (int i = 0; i < workers; i++) {
        if (pthread_create(&threads[i], NULL, worker_main, NULL) != 0)
            bench_die("pthread_create failed");
    }
    body(data);
    atomic_store(&stopping, true);
    for (int i = 0; i < workers; i++)
        sem_post(&wake);
    for (int i = 0; i < workers; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

int
subject_blockable(int workers)
{
    return workers;
}

batch *
batch_create(size_t max)
{
    batch *b = bench_alloc(1, sizeof(*b));

    b->slots = aligned_alloc(_Alignof(slot), max * sizeof(slot));
    if (!b->slots)
        bench_die("no memory for %zu slots", max);
    return b;
}

void
batch_submit(batch *b, const uint64_t *args, uint64_t *results, size_t n)
{
    b->results = results;
    b->n = n;
    for (size_t i = 0; i < n; i++) {
        slot *s = &b->slots[i];
        s->arg = args[i];
        atomic_store_explicit(&s->done, false, memory_order_relaxed);
        slot *old = atomic_load_explicit(&head, memory_order_relaxed);
        do {
            s->next = old;
        } while (!atomic_compare_exchange_weak(&head, &old, s));
        if (!old)
            wake_one();
    }
}

void
batch_collect(batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        slot *s = &b->slots[i];
        for (int spins = 0;
             !atomic_load_explicit(&s->done, memory_order_acquire);
             spins++) {
            if (spins > SPINS)
                sched_yield();
        }
        b->results[i] = s->result;
    }
}

void
batch_destroy(batch *b)
{
    free(b->slots);
    free(b);
}
