/* SPDX-License-Identifier: MIT */
/* What the functions of the event loop's headers answer to NULL: see
 * test_null.c. */
#include "tests/conformance/conformance.h"

#include <cfutures/event_loop.h>
#include <cfutures/io.h>

CF_TEST(null_is_an_answer_in_every_call_of_the_loop)
{
    cr_assert(cf_event_loop_create(NULL, NULL) == CF_EINVAL);
    cr_assert(cf_event_loop_run(NULL, NULL, NULL, 0, NULL) == CF_EINVAL);
    cr_assert(cf_event_loop_run(NULL, task_echo, NULL, 1, NULL) == CF_EINVAL);
    cr_assert(cf_event_loop_uv(NULL) == NULL);
    cr_assert(cf_wait_fd(NULL, 0, CF_FD_READ, 0, NULL) == CF_EINVAL);
    cr_assert((cf_fd_closing(NULL, 0), true), "returns");
}
