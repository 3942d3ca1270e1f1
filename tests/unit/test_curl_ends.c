/* SPDX-License-Identifier: MIT */
/*
 * Threads that end with transfers under way, and processes that a task forks.
 */
#include "tests/support/no_leak_search.h"
#include "tests/unit/curl_fetch.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static int
end_thread(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    pthread_exit(NULL);
}

/* The handles of the tasks that never go on stay. */
Test(curl_ends, a_thread_may_end_with_transfers_under_way)
{
    http_server *s = http_server_start(0);
    cf_executor *ex = open_executor("loop");
    cf_future *fs[5], *last;
    for (int i = 0; i < 5; i++)
        fs[i] = submit_fetch(ex, order_of(s, "/hang", CF_FOREVER));
    http_server_await(s, 5);
    assert_ok(cf_submit(ex, end_thread, NULL, 0, &last));
    cr_assert(cf_future_result(last, CF_FOREVER, NULL) == CF_EWORKERDIED);
    for (int i = 0; i < 5; i++) {
        cr_assert(cf_future_result(fs[i], CF_FOREVER, NULL) == CF_EWORKERDIED);
        cf_future_unref(fs[i]);
    }
    cf_future_unref(last);
    cf_executor_destroy(ex);
    http_server_stop(s);
}

static int
fetch_in_child(cf_call *call, const void *arg, size_t arg_size)
{
    const struct order *order = arg;
    int status = -1;
    (void)arg_size;
    if (fetch(call, order).size != 3)
        return cf_fail(call, 1, "no page");
    pid_t child = fork();
    if (child == 0) {
        struct outcome o = fetch(call, order);
        _exit(o.err == CF_OK && o.size == 3 ? 7 : 1);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return cf_fail(call, 2, "no child");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 7)
        return cf_fail(call, 3, "%#x", (unsigned)status);
    return fetch(call, order).size == 3 ? 0 : cf_fail(call, 4, "no page");
}

/* It has connections of its own, and spoils none of its parent's. */
Test(curl_ends, the_child_of_a_task_can_fetch)
{
    static const char *const specs[] = {"loop", "threads:1", "inline"};
    for (int i = 0; i < 3; i++) {
        http_server *s = http_server_start(0);
        struct order order = order_of(s, "/ok", CF_FOREVER);
        cf_executor *ex = open_executor(specs[i]);
        cf_future *f;
        assert_ok(cf_submit(ex, fetch_in_child, &order, sizeof order, &f));
        cf_err err = cf_future_result(f, CF_FOREVER, NULL);
        cr_assert(err == CF_OK, "%s: %s", specs[i], cf_future_message(f));
        cr_assert(http_server_connections(s) == 2, "%s", specs[i]);
        cf_future_unref(f);
        cf_executor_destroy(ex);
        http_server_stop(s);
    }
}
