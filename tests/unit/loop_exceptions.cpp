/* SPDX-License-Identifier: MIT */
/*
 * Tasks of an event loop in C++ that wait while they handle an exception, or
 * while one unwinds their stack. The C++ runtime keeps what is being handled
 * for each thread; here each task has its own.
 */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>

enum { TASKS = 20, ROUNDS = 50 };

struct trouble : std::runtime_error {
    int number;
    explicit trouble(int n)
        : std::runtime_error("trouble " + std::to_string(n)), number(n)
    {
    }
};

/* Waits when it is destroyed, in the middle of an unwinding. */
class waits_at_end
{
  public:
    waits_at_end(cf_call *of, int *faults_of) : call(of), faults(faults_of)
    {
    }
    ~waits_at_end()
    {
        *faults += cf_yield(call) != CF_OK;
        *faults += std::uncaught_exceptions() != 1;
    }

  private:
    cf_call *call;
    int *faults;
};

static int
catch_and_rethrow(cf_call *call, int number, int round)
{
    int faults = 0;
    try {
        waits_at_end waiter(call, &faults);
        throw trouble(number);
    } catch (...) {
        /* Not all tasks wait in a catch at the same time. */
        for (int i = 0; i <= (number + round) % 3; i++)
            faults += cf_yield(call) != CF_OK;
        faults += std::uncaught_exceptions() != 0;
        try {
            throw; /* the one that is being handled */
        } catch (const trouble &again) {
            faults += cf_sleep(call, 1000) != CF_OK;
            faults += again.number != number;
        } catch (...) {
            faults++;
        }
        std::exception_ptr current = std::current_exception();
        faults += !current;
    }
    faults += std::current_exception() != nullptr;
    return faults;
}

static int
task(cf_call *call, const void *arg, size_t arg_size)
{
    int number, faults = 0;
    std::memcpy(&number, arg, arg_size);
    for (int round = 0; round < ROUNDS; round++)
        faults += catch_and_rethrow(call, number, round);
    return faults;
}

static int
submit_all(cf_call *call, const void *arg, size_t arg_size)
{
    cf_future *fs[TASKS];
    int bad = 0;
    (void)arg;
    (void)arg_size;
    bad += std::current_exception() != nullptr; /* that is its caller's */
    for (int i = 0; i < TASKS; i++)
        if (cf_submit(cf_call_executor(call), task, &i, sizeof i, &fs[i]))
            return 1000;
    for (int i = 0; i < TASKS; i++) {
        bad += cf_future_result(fs[i], CF_FOREVER, nullptr) != CF_OK;
        cf_future_unref(fs[i]);
    }
    return bad;
}

/* The loop runs while this thread, too, handles an exception. */
int
main()
{
    bool mine = false;
    cf_future *f = nullptr;
    cf_err err = CF_ESYS;
    try {
        throw trouble(-1);
    } catch (...) {
        if (!cf_event_loop_run(nullptr, submit_all, nullptr, 0, &f))
            err = cf_future_result(f, 0, nullptr);
        try {
            throw;
        } catch (const trouble &again) {
            mine = again.number == -1;
        }
    }
    if (err || !mine)
        std::printf("%s; the caller's exception is %s\n",
                    f ? cf_future_message(f) : "no task",
                    mine ? "its own" : "lost");
    cf_future_unref(f);
    return err || !mine;
}
