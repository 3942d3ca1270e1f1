/* SPDX-License-Identifier: MIT */
/* Executors by name, in a program that links no component, and what a component
 * does when it is loaded: lib/executor/backend.h. */
#include "lib/executor/backend.h"

#include <cfutures/cfutures.h>

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static int opened_with = -1;

static cf_err
open_fake(int max_workers, cf_executor **out)
{
    opened_with = max_workers;
    return cf_inline_create(out);
}

static const struct cf__backend fake = {"loop", open_fake};

static cf_err
try_open(const char *spec)
{
    cf_executor *ex = NULL;
    cf_err err = cf_executor_open(spec, &ex);
    cr_assert((err == CF_OK) == (ex != NULL), "untouched on error");
    cf_executor_destroy(ex);
    return err;
}

Test(open, a_component_that_is_not_linked_is_not_supported)
{
    cr_assert(try_open("loop") == CF_ENOTSUP);
    cr_assert(try_open("loop:1") == CF_ENOTSUP);
}

Test(open, what_is_no_name_is_invalid)
{
    static const char *const specs[] = {"",
                                        "loo",
                                        "loops",
                                        "loop:",
                                        "loop:0",
                                        "loop:x",
                                        "loop:-1",
                                        "event_loop"};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++)
        cr_assert(try_open(specs[i]) == CF_EINVAL, "%s", specs[i]);
}

/* Opens all that is listed, and returns how many these are. */
static int
open_all_listed(void)
{
    char list[256];
    int count = 0;
    snprintf(list, sizeof list, "%s", cf_executor_specs());
    char *rest = list;
    for (char *spec; (spec = strtok_r(rest, ", ", &rest)); count++) {
        char *workers = strstr(spec, "[:N]");
        if (workers)
            memcpy(workers, ":2", sizeof ":2");
        cr_assert(try_open(spec) == CF_OK, "%s", spec);
    }
    return count;
}

Test(open, what_can_be_opened_is_listed)
{
    int before = open_all_listed();
    cr_assert(before >= 2, "inline, threads");
    cr_assert_null(strstr(cf_executor_specs(), "loop"));
    cf__backend_enter(&fake, CF_VERSION_STRING);
    cr_assert(open_all_listed() == before + 1);
    cr_assert_not_null(strstr(cf_executor_specs(), "loop"));
}

Test(open, a_component_that_is_loaded_is_opened)
{
    cf__backend_enter(&fake, CF_VERSION_STRING);
    cr_assert(try_open("loop:7") == CF_OK);
    cr_assert(opened_with == 7);
    cr_assert(try_open("loop:x") == CF_EINVAL);
}

Test(open, a_backend_without_a_place_is_not_opened)
{
    static const struct cf__backend unknown = {"unknown", open_fake};
    cf__backend_enter(&unknown, CF_VERSION_STRING);
    cr_assert(try_open("unknown") == CF_EINVAL);
    cr_assert(try_open("loop") == CF_ENOTSUP);
}

Test(open, a_component_of_another_release_aborts, .signal = SIGABRT)
{
    cf__backend_enter(&fake, "0.0.1");
}
