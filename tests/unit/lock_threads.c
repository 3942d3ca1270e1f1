/* SPDX-License-Identifier: MIT */
/*
 * lib/base/lock.h with many threads, some of which keep the lock long enough
 * for the others to sleep; and a child that was forked while another thread
 * held a lock. A plain program, for the thread sanitizer.
 */
#include "lib/base/lock.h"

#include <cfutures/cfutures.h>

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 20000, LONG_EVERY = 500, TIME_LIMIT_S = 60 };

static struct cf__lock lock;
static long count; /* guarded by lock */

static void *
add(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        bool tried = i % 2 == 0 && cf__lock_try(&lock);
        if (!tried)
            cf__lock(&lock);
        count++;
        if (i % LONG_EVERY == 0)
            for (int turns = 0; turns < LONG_EVERY; turns++)
                sched_yield();
        cf__unlock(&lock);
    }
    return unused;
}

static bool
counts_right(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, add, NULL) != 0)
            return false;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return count == (long)THREADS * ROUNDS && !cf__lock_is_held(&lock);
}

static sem_t held, give_back;

static void *
hold(void *unused)
{
    cf__lock(&lock);
    sem_post(&held);
    while (sem_wait(&give_back) != 0)
        continue;
    cf__unlock(&lock);
    return unused;
}

/* The holder does not exist in the child, which takes the lock over; in the
 * parent it still has it. */
static bool
child_takes_over(void)
{
    pthread_t holder;
    sem_init(&held, 0, 0);
    sem_init(&give_back, 0, 0);
    if (pthread_create(&holder, NULL, hold, NULL) != 0)
        return false;
    while (sem_wait(&held) != 0)
        continue;
    pid_t child = fork();
    if (child == 0) {
        bool free_for_us = !cf__lock_is_held(&lock) && cf__lock_try(&lock);
        bool then_held = cf__lock_is_held(&lock) && !cf__lock_try(&lock);
        cf__unlock(&lock);
        cf__lock(&lock);
        cf__unlock(&lock);
        _exit(free_for_us && then_held ? 0 : 1);
    }
    int status = -1;
    bool still_held = cf__lock_is_held(&lock) && !cf__lock_try(&lock);
    bool reaped = child > 0 && waitpid(child, &status, 0) == child;
    sem_post(&give_back);
    pthread_join(holder, NULL);
    return reaped && status == 0 && still_held && !cf__lock_is_held(&lock);
}

int
main(void)
{
    alarm(TIME_LIMIT_S);
    cf_executor *ex; /* with it the library notices forks */
    if (cf_executor_open("threads:1", &ex))
        return 1;
    bool right = counts_right();
    bool taken = child_takes_over();
    cf_executor_destroy(ex);
    printf("counted right: %d, taken over: %d\n", right, taken);
    return !right || !taken;
}
