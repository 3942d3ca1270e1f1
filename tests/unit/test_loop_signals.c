/* SPDX-License-Identifier: MIT */
/*
 * Tasks of an event loop that wait for signals, and Ctrl-C in a run.
 */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>
#include <cfutures/io.h>

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS INT64_C(1000000)
#define assert_ok(call) cr_assert((call) == CF_OK, "%s", #call)
#define expect(call_, condition)                                               \
    do {                                                                       \
        if (!(condition))                                                      \
            return cf_fail((call_), 1, "line %d", __LINE__);                   \
    } while (0)

static void
run(cf_task_fn *fn)
{
    cf_future *f;
    assert_ok(cf_event_loop_run(NULL, fn, NULL, 0, &f));
    const cf_error *error = cf_future_error(f);
    cr_assert(!error, "%s", error->message);
    cf_future_unref(f);
}

static const int users[] = {SIGUSR1, SIGUSR2};

static int
wait_for_users(cf_call *call, const void *arg, size_t arg_size)
{
    int signo = 0;
    (void)arg;
    (void)arg_size;
    if (cf_signal_wait(call, users, 2, CF_FOREVER, &signo))
        return 1;
    return cf_return(call, &signo, sizeof signo);
}

static int
send_signals(cf_call *call, const void *arg, size_t arg_size)
{
    cf_executor *ex = cf_call_executor(call);
    int signo = 0;
    (void)arg;
    (void)arg_size;
    expect(call, cf_signal_wait(call, users, 2, 0, &signo) == CF_ETIMEDOUT);
    for (int i = 0; i < 20; i++) {
        cf_future *fs[2];
        for (int k = 0; k < 2; k++)
            expect(call, !cf_submit(ex, wait_for_users, NULL, 0, &fs[k]));
        expect(call, cf_yield(call) == CF_OK); /* they wait */
        expect(call, kill(getpid(), users[i % 2]) == 0);
        for (int k = 0; k < 2; k++) {
            cf_bytes bytes;
            expect(call, !cf_future_result(fs[k], CF_FOREVER, &bytes));
            memcpy(&signo, bytes.data, sizeof signo);
            expect(call, signo == users[i % 2]);
            cf_future_unref(fs[k]);
        }
    }
    return 0;
}

Test(loop_signals, all_tasks_that_wait_for_a_signal_return)
{
    run(send_signals);
}

static int
keep_signals(cf_call *call, const void *arg, size_t arg_size)
{
    int signo = 0;
    (void)arg;
    (void)arg_size;
    expect(call, cf_signal_wait(call, users, 2, MS, NULL) == CF_ETIMEDOUT);
    for (int i = 0; i < 3; i++) /* kept once */
        expect(call, kill(getpid(), SIGUSR2) == 0);
    expect(call, cf_sleep(call, 2 * MS) == CF_OK);
    expect(call, cf_signal_wait(call, users, 2, CF_FOREVER, &signo) == CF_OK);
    expect(call, signo == SIGUSR2);
    expect(call, cf_signal_wait(call, users, 2, 0, &signo) == CF_ETIMEDOUT);
    return 0;
}

Test(loop_signals, a_signal_without_a_waiter_is_kept)
{
    run(keep_signals);
}

static int
give_bad_input(cf_call *call, const void *arg, size_t arg_size)
{
    const int kill_it = SIGKILL, none = 0, large = 65;
    (void)arg;
    (void)arg_size;
    expect(call, cf_signal_wait(call, NULL, 1, 0, NULL) == CF_EINVAL);
    expect(call, cf_signal_wait(call, users, 0, 0, NULL) == CF_EINVAL);
    expect(call, cf_signal_wait(call, users, 1, -2, NULL) == CF_EINVAL);
    expect(call, cf_signal_wait(call, &kill_it, 1, 0, NULL) == CF_EINVAL);
    expect(call, cf_signal_wait(call, &none, 1, 0, NULL) == CF_EINVAL);
    expect(call, cf_signal_wait(call, &large, 1, 0, NULL) == CF_EINVAL);
    return 0;
}

Test(loop_signals, bad_input_is_answered)
{
    run(give_bad_input);
}

static int
interrupt_a_waiter(cf_call *call, const void *arg, size_t arg_size)
{
    cf_future *f;
    (void)arg;
    (void)arg_size;
    expect(call,
           !cf_submit(cf_call_executor(call), wait_for_users, NULL, 0, &f));
    expect(call, cf_yield(call) == CF_OK);
    (void)cf_future_interrupt(f);
    expect(call, cf_future_wait(f, CF_FOREVER) == CF_OK);
    expect(call, cf_future_error(f) != NULL);
    cf_future_unref(f);
    expect(call, kill(getpid(), SIGUSR1) == 0); /* wakes nobody */
    return cf_signal_wait(call, users, 2, CF_FOREVER, NULL);
}

Test(loop_signals, an_interrupt_ends_a_wait)
{
    run(interrupt_a_waiter);
}

/* --- Ctrl-C ------------------------------------------------------------- */

static int
press_ctrl_c(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    if (arg) { /* it does not wait */
        (void)kill(getpid(), SIGINT);
        while (!cf_call_canceled(call))
            continue;
        return 0;
    }
    (void)kill(getpid(), SIGINT);
    cf_err err = cf_sleep(call, CF_FOREVER);
    return cf_return(call, &err, sizeof err);
}

static bool
sigint_has_its_default(void)
{
    struct sigaction now;
    return sigaction(SIGINT, NULL, &now) == 0 && now.sa_handler == SIG_DFL;
}

Test(loop_signals, ctrl_c_ends_a_run)
{
    signal(SIGINT, SIG_DFL);
    for (int i = 0; i < 20; i++) {
        cf_future *f = NULL;
        cf_bytes bytes;
        cr_assert(cf_event_loop_run(NULL, press_ctrl_c, NULL, 0, &f) ==
                  CF_EINTERRUPTED);
        assert_ok(cf_future_result(f, 0, &bytes));
        cr_assert(*(const cf_err *)bytes.data == CF_EINTERRUPTED);
        cf_future_unref(f);
        cr_assert(sigint_has_its_default());
        cr_assert(cf_event_loop_run(NULL, press_ctrl_c, "busy", 0, NULL) ==
                  CF_EINTERRUPTED);
        cr_assert(sigint_has_its_default());
    }
}

static int
press_it_twice(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    (void)kill(getpid(), SIGINT);
    (void)cf_sleep(call, CF_FOREVER);
    (void)kill(getpid(), SIGINT);
    _exit(1);
}

Test(loop_signals, a_second_ctrl_c_ends_the_program)
{
    int status;
    signal(SIGINT, SIG_DFL);
    pid_t child = fork();
    if (child == 0) {
        (void)!cf_event_loop_run(NULL, press_it_twice, NULL, 0, NULL);
        _exit(2);
    }
    cr_assert(waitpid(child, &status, 0) == child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}

static volatile sig_atomic_t handled;

static void
handle(int signo)
{
    handled = signo;
}

static int
press_it_once(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    (void)kill(getpid(), SIGINT);
    return (int)cf_sleep(call, MS);
}

Test(loop_signals, a_programs_own_handler_stays)
{
    signal(SIGINT, handle);
    run(press_it_once);
    cr_assert(handled == SIGINT);
    struct sigaction now;
    cr_assert(sigaction(SIGINT, NULL, &now) == 0 && now.sa_handler == handle);
}

static int
wait_for_ctrl_c(cf_call *call, const void *arg, size_t arg_size)
{
    const int sigint = SIGINT;
    (void)arg;
    (void)arg_size;
    expect(call, cf_signal_wait(call, &sigint, 1, 0, NULL) == CF_ETIMEDOUT);
    for (int i = 0; i < 3; i++) {
        expect(call, kill(getpid(), SIGINT) == 0);
        expect(call,
               cf_signal_wait(call, &sigint, 1, CF_FOREVER, NULL) == CF_OK);
    }
    return 0;
}

Test(loop_signals, a_task_may_wait_for_ctrl_c_itself)
{
    signal(SIGINT, SIG_DFL);
    run(wait_for_ctrl_c);
    cr_assert(sigint_has_its_default());
}
