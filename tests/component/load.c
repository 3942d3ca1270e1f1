/* SPDX-License-Identifier: MIT */
/*
 * load LOOP: loads the event loop's library, which brings libcfutures, and runs
 * a task in a loop. load LIBRARY LOADS LOOP: loads libcfutures first, where
 * there is no loop until the other one is loaded. The program links neither.
 */
#include <cfutures/cfutures.h>

#include "tests/support/program.h"
#include <dlfcn.h>
#include <string.h>

static cf_err (*open_executor)(const char *spec, cf_executor **out);
static cf_err (*submit)(cf_executor *ex,
                        cf_task_fn *fn,
                        const void *arg,
                        size_t arg_size,
                        cf_future **out);
static cf_err (*result)(cf_future *f, int64_t timeout_ns, cf_bytes *out);
static void (*unref)(cf_future *f);
static void (*destroy)(cf_executor *ex);

static void *
load(const char *path)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        fprintf(stderr, "%s\n", dlerror());
    CHECK(handle);
    return handle;
}

/* to points to a pointer to the function of that name. */
static void
find(void *handle, const char *name, void *to)
{
    void *found = dlsym(handle, name);
    CHECK(found);
    memcpy(to, &found, sizeof found); /* POSIX allows that */
}

static void
find_all(void *handle)
{
    find(handle, "cf_executor_open", &open_executor);
    find(handle, "cf_submit", &submit);
    find(handle, "cf_future_result", &result);
    find(handle, "cf_future_unref", &unref);
    find(handle, "cf_executor_destroy", &destroy);
}

static int
note(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    *(int *)arg = 42;
    return 0;
}

static void
run_in_loop(void)
{
    cf_executor *loop;
    cf_future *f;
    int noted = 0;
    CHECK(open_executor("loop", &loop) == CF_OK);
    CHECK(submit(loop, note, &noted, 0, &f) == CF_OK);
    CHECK(result(f, CF_FOREVER, NULL) == CF_OK);
    CHECK(noted == 42);
    unref(f);
    destroy(loop);
}

int
main(int argc, char **argv)
{
    CHECK(argc == 2 || (argc == 4 && strcmp(argv[2], "LOADS") == 0));
    void *first = load(argv[1]);
    find_all(first);
    if (argc == 4) {
        cf_executor *loop;
        CHECK(open_executor("loop", &loop) == CF_ENOTSUP);
        CHECK(dlclose(load(argv[3])) == 0); /* which does not unload it */
        run_in_loop();
    }
    run_in_loop();
    CHECK(dlclose(first) == 0);
    return 0;
}
