/* SPDX-License-Identifier: MIT */
/* With CF_DEBUG=1: looks at what a call that returns CF_EINVAL says. */
#ifndef CF_TESTS_OBSERVERS_SAYS_H
#define CF_TESTS_OBSERVERS_SAYS_H

#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT "the timeout is below -1, which is CF_FOREVER"
#define SIZE                                                                   \
    "a struct that begins with its size: size is not that of a struct: "       \
    "CF_TASK(), CF_..._OPTIONS() and CF_..._INIT set it"

static int said;    /* a pipe from standard error */
static FILE *shown; /* what was standard error */
static int failures;

static inline void
check(int line, const char *what, bool ok)
{
    if (ok)
        return;
    fprintf(shown, "line %d: %s\n", line, what);
    failures++;
}

#define CHECK(condition) check(__LINE__, #condition, (condition))

/* The call is CF_EINVAL, and says that and no more. */
#define SAYS(sentence, call) says(__LINE__, (call), sentence)

static inline void
says(int line, cf_err err, const char *sentence)
{
    char text[1024], want[1024];
    ssize_t got = read(said, text, sizeof text - 1);
    text[got > 0 ? got : 0] = '\0';
    (void)snprintf(
        want, sizeof want, "libcfutures: CF_DEBUG: CF_EINVAL: %s\n", sentence);
    check(line, cf_err_name(err), err == CF_EINVAL);
    check(line, text[0] ? text : "it says nothing", strcmp(text, want) == 0);
}

/* Waits for the task, which has ended well. */
static inline void
join(cf_future *f)
{
    CHECK(f && !cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
}

/* What main() does, in a loop's task: task says what it does. */
static inline int
run_with_cf_debug(int argc, char **argv, cf_task_fn *task)
{
    int ends[2];
    cf_future *f = NULL;
    if (argc == 1) { /* the library looks at CF_DEBUG when it is loaded */
        char *const again[] = {argv[0], (char *)(uintptr_t) "again", NULL};
        setenv("CF_DEBUG", "1", 1);
        execv("/proc/self/exe", again);
        return 1;
    }
    shown = fdopen(dup(STDERR_FILENO), "w");
    if (!shown || pipe2(ends, O_CLOEXEC | O_NONBLOCK) ||
        dup2(ends[1], STDERR_FILENO) < 0)
        return 1;
    said = ends[0];
    CHECK(!cf_event_loop_run(NULL, task, NULL, 0, &f));
    join(f);
    return failures != 0;
}

#endif
