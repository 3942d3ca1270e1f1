/* SPDX-License-Identifier: MIT */
/*
 * The end of the program does not wait for a look-up that is never answered:
 * main() returns while a task of a loop waits for it.
 */
#include "tests/support/fake_names.h"
#include "tests/support/program.h"

#include <cfutures/event_loop.h>
#include <cfutures/resolve.h>

static int
ask(cf_call *call, const void *arg, size_t arg_size)
{
    cf_addresses a;
    (void)arg;
    (void)arg_size;
    CHECK(cf_resolve(call, "slow.test", "80", CF_FOREVER, &a) ==
          CF_EINTERRUPTED);
    return 0;
}

int
main(void)
{
    static struct fake_name name = {.host = "slow.test"};
    cf_executor *loop;
    name.gate = gate_new();
    fake_names_use(&name, 1);
    CHECK(cf_event_loop_create(NULL, &loop) == CF_OK);
    CHECK(cf_submit(loop, ask, NULL, 0, NULL) == CF_OK);
    gate_await(name.gate, 1);
    return 0;
}
