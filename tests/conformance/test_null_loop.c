/* SPDX-License-Identifier: MIT */
/* What the functions of the event loop's headers answer to NULL: see
 * test_null.c. */
#include "tests/conformance/conformance.h"

#include <cfutures/datagram.h>
#include <cfutures/event_loop.h>
#include <cfutures/io.h>
#include <cfutures/listener.h>
#include <cfutures/resolve.h>
#include <cfutures/stream.h>
#include <cfutures/subprocess.h>

CF_TEST(null_is_an_answer_in_every_call_of_the_loop)
{
    cr_assert(cf_event_loop_create(NULL, NULL) == CF_EINVAL);
    cr_assert(cf_event_loop_run(NULL, NULL, NULL, 0, NULL) == CF_EINVAL);
    cr_assert(cf_event_loop_run(NULL, task_echo, NULL, 1, NULL) == CF_EINVAL);
    cr_assert(cf_event_loop_uv(NULL) == NULL);
    cr_assert(cf_wait_fd(NULL, 0, CF_FD_READ, 0, NULL) == CF_EINVAL);
    cr_assert((cf_fd_closing(NULL, 0), true), "returns");
    cr_assert(cf_event_loop_extend(NULL, NULL, NULL) == CF_EINVAL);
    cr_assert(cf_subprocess_start(NULL, NULL, NULL) == CF_EINVAL);
    cr_assert(cf_subprocess_run(NULL, NULL, NULL, 0, 0, NULL) == CF_EINVAL);
    cr_assert(cf_subprocess_wait(NULL, 0, NULL) == CF_EINVAL);
    cr_assert(cf_subprocess_kill(NULL, 1) == CF_EINVAL);
    cr_assert(cf_subprocess_pipe(NULL, 0) == NULL);
    cr_assert(cf_subprocess_pid(NULL) == -1);
    cr_assert((cf_subprocess_close_pipe(NULL, 0), true), "returns");
    cr_assert((cf_subprocess_destroy(NULL), true), "returns");
    cr_assert((cf_subprocess_output_free(NULL), true), "returns");
    cf_addresses addresses = {7, NULL};
    cr_assert(cf_resolve(NULL, "a", "b", 0, &addresses) == CF_EINVAL);
    cr_assert(addresses.count == 7);
    cr_assert((cf_addresses_free(NULL), true), "returns");
    cr_assert(cf_signal_wait(NULL, NULL, 0, 0, NULL) == CF_EINVAL);
}

CF_TEST(null_is_an_answer_in_every_call_of_streams)
{
    char buf[8];
    size_t size = 1;
    cf_stream *s = NULL;
    cf_bytes line;
    cr_assert(cf_stream_connect(NULL, "unix:/x", NULL, 0, &s) == CF_EINVAL);
    cr_assert(cf_stream_from_fd(NULL, 0, &s) == CF_EINVAL);
    cr_assert(cf_stream_read(NULL, buf, 8, 0, &size) == CF_EINVAL);
    cr_assert(cf_stream_read_exactly(NULL, buf, 8, 0, &size) == CF_EINVAL);
    cr_assert(cf_stream_read_line(NULL, 0, 0, &line) == CF_EINVAL);
    cr_assert(cf_stream_write(NULL, buf, 8, 0, &size) == CF_EINVAL);
    cr_assert(cf_stream_shutdown(NULL) == CF_EINVAL);
    cr_assert(cf_stream_peer_name(NULL, buf, 8) == CF_EINVAL);
    cr_assert(cf_stream_fd(NULL) == -1);
    cr_assert((cf_stream_close(NULL), true));
    cr_assert(!s && size == 0 && line.size == 0);
}

CF_TEST(null_is_an_answer_in_every_call_of_sockets)
{
    char buf[8];
    size_t size = 1;
    cf_stream *s = NULL;
    cf_listener *l = NULL;
    cf_datagram *d = NULL;
    cr_assert(cf_listener_create(NULL, "unix:/x", NULL, &l) == CF_EINVAL);
    cr_assert(cf_listener_accept(NULL, 0, &s) == CF_EINVAL);
    cr_assert(cf_listener_address(NULL, buf, 8) == CF_EINVAL);
    cr_assert((cf_listener_close(NULL), true));
    cr_assert(cf_datagram_create(NULL, "unix:/x", NULL, &d) == CF_EINVAL);
    cr_assert(cf_datagram_send_to(NULL, buf, 8, NULL, 0) == CF_EINVAL);
    cr_assert(cf_datagram_receive_from(NULL, buf, 8, 0, &size, buf) ==
              CF_EINVAL);
    cr_assert(cf_datagram_address(NULL, buf, 8) == CF_EINVAL);
    cr_assert((cf_datagram_close(NULL), true));
    cr_assert(!s && !l && !d && size == 0);
}
