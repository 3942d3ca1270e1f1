/* SPDX-License-Identifier: MIT */
/*
 * lib/sync/line.h: one whose time is over when it is woken has been woken; a
 * fork's child has none of those that wait in its parent.
 */
#include "lib/sync/line.h"

#include <cfutures/cfutures.h>

#include <criterion/criterion.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 70 }; /* more than are woken at a time */

struct waiting {
    struct cf__meeting *meeting;
    int64_t timeout_ns;
    cf_err err;
};

static void *
wait_in_line(void *arg)
{
    struct waiting *waiting = arg;
    struct cf__in_line self = {.item = NULL};
    int64_t deadline_ns = cf__deadline(waiting->timeout_ns);
    cf__meeting_enter(waiting->meeting);
    waiting->err = cf__line_wait(
        waiting->meeting, &waiting->meeting->lines[0], &self, deadline_ns);
    cf__meeting_leave(waiting->meeting);
    return NULL;
}

/* Returns with the lock, when so many are in the line. */
static void
enter_when(struct cf__meeting *meeting, int count)
{
    for (;;) {
        int found = 0;
        const struct cf__link *ends = &meeting->lines[0].ends;
        cf__meeting_enter(meeting);
        for (const struct cf__link *at = ends->next; at != ends; at = at->next)
            found++;
        if (found == count)
            return;
        cf__meeting_leave(meeting);
        cf_sleep(NULL, 100000);
    }
}

/* Its deadline passes while another thread has the lock, and then wakes it. If
 * it comes too late to the line, its time is over before. */
Test(line, a_call_whose_time_is_over_has_been_woken, .timeout = 60)
{
    struct cf__meeting *meeting = cf__meeting_new(sizeof *meeting);
    int woken = 0;
    cr_assert(meeting != NULL);
    for (int i = 0; i < 20; i++) {
        struct waiting waiting = {meeting, CF_MS(20), CF_ESYS};
        pthread_t thread;
        pthread_create(&thread, NULL, wait_in_line, &waiting);
        cf_sleep(NULL, CF_MS(1));
        cf__meeting_enter(meeting);
        struct cf__in_line *first = cf__line_first(&meeting->lines[0]);
        if (first) {
            cf_sleep(NULL, CF_MS(40));
            cf__line_wake(first, CF_EDONE);
            woken++;
        }
        cf__meeting_leave(meeting);
        pthread_join(thread, NULL);
        cr_assert(waiting.err == (first ? CF_EDONE : CF_ETIMEDOUT));
        cr_assert(!cf__line_first(&meeting->lines[0]));
    }
    cr_expect(woken > 0);
    cf__meeting_destroy(meeting, "someone waits");
}

Test(line, those_that_are_woken_at_once_are_all_woken, .timeout = 60)
{
    struct cf__meeting *meeting = cf__meeting_new(sizeof *meeting);
    static struct waiting waiting[MANY];
    pthread_t threads[MANY];
    cr_assert(meeting != NULL);
    for (int i = 0; i < MANY; i++) {
        waiting[i] = (struct waiting){meeting, CF_FOREVER, CF_ESYS};
        pthread_create(&threads[i], NULL, wait_in_line, &waiting[i]);
    }
    enter_when(meeting, MANY);
    cf__line_wake_all(meeting, &meeting->lines[0], CF_EDONE);
    cr_expect(!cf__line_first(&meeting->lines[0]));
    cf__meeting_leave(meeting);
    for (int i = 0; i < MANY; i++) {
        pthread_join(threads[i], NULL);
        cr_expect(waiting[i].err == CF_EDONE);
    }
    cf__meeting_destroy(meeting, "someone waits");
}

/* In the child: 0, or the step that failed. */
static int
use_in_child(struct cf__meeting *meeting)
{
    struct waiting waiting = {meeting, CF_MS(1), CF_ESYS};
    cf__meeting_enter(meeting);
    bool empty = !cf__line_first(&meeting->lines[0]);
    cf__meeting_leave(meeting);
    if (!empty)
        return 1;
    wait_in_line(&waiting);
    if (waiting.err != CF_ETIMEDOUT)
        return 2;
    cf__meeting_destroy(meeting, "someone waits");
    return 0;
}

Test(line, a_child_has_none_of_those_that_wait, .timeout = 60)
{
    struct cf__meeting *meeting = cf__meeting_new(sizeof *meeting);
    struct waiting waiting = {meeting, CF_FOREVER, CF_ESYS};
    pthread_t thread;
    int status;
    cr_assert(meeting != NULL);
    pthread_create(&thread, NULL, wait_in_line, &waiting);
    enter_when(meeting, 1);
    pid_t child = fork(); /* its copy of the lock is held */
    if (child == 0)
        _exit(use_in_child(meeting));
    cf__line_wake(cf__line_first(&meeting->lines[0]), CF_OK);
    cf__meeting_leave(meeting);
    pthread_join(thread, NULL);
    cr_expect(waiting.err == CF_OK);
    cr_assert(waitpid(child, &status, 0) == child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cf__meeting_destroy(meeting, "someone waits");
}
