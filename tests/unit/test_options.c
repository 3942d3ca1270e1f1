/* SPDX-License-Identifier: MIT */
/*
 * Structs whose size is garbage: CF_EINVAL, and nothing but the size is read.
 * Each struct lies so that behind its size there is a page that cannot be
 * read. And the literals that set the size.
 */
#include <cfutures/cfutures.h>
#include <cfutures/datagram.h>
#include <cfutures/event_loop.h>
#include <cfutures/listener.h>
#include <cfutures/stream.h>
#include <cfutures/subprocess.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

TestSuite(options, .timeout = 20);

static const size_t garbage[] = {0,
                                 1,
                                 sizeof(size_t) - 1,
                                 sizeof(size_t) + 1,
                                 sizeof(size_t) + 4,
                                 4095,
                                 4097,
                                 4096 + sizeof(size_t),
                                 65536,
                                 SIZE_MAX / 2,
                                 SIZE_MAX - 7,
                                 SIZE_MAX};

/* A place for one size_t, at the end of what can be read. */
static size_t *
last_size(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *p = mmap(NULL,
                   2 * page,
                   PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS,
                   -1,
                   0);
    cr_assert(p != MAP_FAILED);
    cr_assert(mprotect(p + page, page, PROT_NONE) == 0);
    return (size_t *)(void *)(p + page - sizeof(size_t));
}

static int
task(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    return 0;
}

static void
expect_invalid(cf_err err, const char *what, size_t size)
{
    cr_assert(
        err == CF_EINVAL, "%s of size %zu: %s", what, size, cf_err_name(err));
}

Test(options, of_a_garbage_size_are_invalid_and_not_read)
{
    size_t *size = last_size();
    const void *given = size;
    cf_executor *ex = NULL, *none = NULL;
    cf_future *f = NULL, *out = NULL;
    cf_results *r = NULL;
    cr_assert(cf_inline_create(&ex) == CF_OK);
    cr_assert(cf_future_create(&f) == CF_OK);
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        *size = garbage[i];
        expect_invalid(cf_thread_pool_create(given, &none), "threads", *size);
        expect_invalid(
            cf_process_pool_create(given, &none), "processes", *size);
        expect_invalid(cf_submit_task(ex, given, &out), "a task", *size);
        expect_invalid(cf_map(ex, task, "x", 1, 1, given, &r), "map", *size);
        expect_invalid(
            cf_map_array(ex, task, "x", 1, 1, NULL, 0, given), "array", *size);
        expect_invalid(cf_future_set_error(f, given), "an error", *size);
    }
    cr_assert(!none && !out && !r);
    cr_assert(cf_future_state(f) == CF_PENDING);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

Test(options, that_end_with_their_size_are_all_default)
{
    size_t *size = last_size();
    cf_executor *ex = NULL;
    cf_future *f = NULL;
    *size = sizeof *size;
    cr_assert(cf_thread_pool_create((void *)size, &ex) == CF_OK);
    cr_assert(cf_executor_max_workers(ex) == (int)cf_cpu_count());
    cr_assert(cf_submit_task(ex, (void *)size, &f) == CF_EINVAL, "no fn");
    cr_assert(cf_map_array(ex, task, "x", 1, 1, NULL, 0, (void *)size) ==
              CF_OK);
    cf_executor_destroy(ex);
}

Test(options, of_the_largest_size_are_read_to_their_end)
{
    union {
        cf_thread_pool_options known;
        unsigned char bytes[4096];
    } largest;
    cf_executor *ex = NULL;
    memset(&largest, 0, sizeof largest);
    largest.known.size = sizeof largest;
    largest.bytes[4095] = 1;
    cr_assert(cf_thread_pool_create(&largest.known, &ex) == CF_ETOOBIG);
    largest.bytes[4095] = 0;
    cr_assert(cf_thread_pool_create(&largest.known, &ex) == CF_OK);
    cf_executor_destroy(ex);
}

Test(options, a_literal_has_its_size)
{
    cr_assert(CF_TASK().size == sizeof(cf_task));
    cr_assert(CF_THREAD_POOL_OPTIONS().size == sizeof(cf_thread_pool_options));
    cr_assert(CF_PROCESS_POOL_OPTIONS().size ==
              sizeof(cf_process_pool_options));
    cr_assert(CF_MAP_OPTIONS().size == sizeof(cf_map_options));
    cr_assert(CF_GROUP_OPTIONS().size == sizeof(cf_group_options));
    cr_assert(CF_EVENT_LOOP_OPTIONS().size == sizeof(cf_event_loop_options));
    cr_assert(CF_SUBPROCESS_OPTIONS().size == sizeof(cf_subprocess_options));
    cr_assert(CF_DATAGRAM_OPTIONS().size == sizeof(cf_datagram_options));
    cr_assert(CF_LISTENER_OPTIONS().size == sizeof(cf_listener_options));
    cr_assert(CF_STREAM_OPTIONS(.nagle = true).size ==
              sizeof(cf_stream_options));
}

Test(options, a_literal_is_an_argument)
{
    cf_executor *ex;
    cf_future *f;
    cr_assert(cf_thread_pool_create(&CF_THREAD_POOL_OPTIONS(.max_workers = 3),
                                    &ex) == CF_OK);
    cr_assert(cf_executor_max_workers(ex) == 3);
    cr_assert(cf_submit_task(ex, &CF_TASK(.fn = task, .name = "x"), &f) ==
              CF_OK);
    cr_assert(cf_future_result(f, CF_FOREVER, NULL) == CF_OK);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}
