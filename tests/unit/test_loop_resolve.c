/* SPDX-License-Identifier: MIT */
/* What names that tasks of a loop look up are answered with. */
#define _GNU_SOURCE
#include "loop_streams.h"

#include "tests/support/fake_names.h"

#include <cfutures/resolve.h>
#include <cfutures/thread_pool.h>

#include <netdb.h>

/* --- what it answers ------------------------------------------------------ */

LOOP_TEST(loop_resolve, numbers_are_answered_at_once)
{
    static const struct {
        const char *host, *service, *text;
    } cases[] = {{"127.0.0.1", "80", "127.0.0.1:80"},
                 {"192.0.2.7", NULL, "192.0.2.7:0"},
                 {"::1", "65535", "[::1]:65535"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_addresses a;
        expect_ok(call,
                  cf_resolve(call, cases[i].host, cases[i].service, 0, &a));
        expect(call, a.count == 1);
        expect(call, strcmp(a.at[0].text, cases[i].text) == 0);
        const bool v6 = strchr(cases[i].host, ':') != NULL;
        expect(call, a.at[0].sockaddr->sa_family == (v6 ? AF_INET6 : AF_INET));
        expect(call,
               a.at[0].sockaddr_size == (v6 ? sizeof(struct sockaddr_in6)
                                            : sizeof(struct sockaddr_in)));
        cf_addresses_free(&a);
        expect(call, a.count == 0 && !a.at);
        cf_addresses_free(&a);
    }
    return 0;
}

/* By the system's own resolver. */
LOOP_TEST(loop_resolve, localhost)
{
    cf_addresses a;
    bool found = false;
    expect_ok(call, cf_resolve(call, "localhost", "80", CF_FOREVER, &a));
    for (size_t i = 0; i < a.count; i++)
        found |= strcmp(a.at[i].text, "127.0.0.1:80") == 0 ||
                 strcmp(a.at[i].text, "[::1]:80") == 0;
    expect(call, found);
    cf_addresses_free(&a);
    return 0;
}

LOOP_TEST(loop_resolve, no_address_comes_twice)
{
    static const struct fake_address all[] = {{"192.0.2.1", 0},
                                              {"192.0.2.1", 0},
                                              {"2001:db8::1", 0},
                                              {"192.0.2.1", 0},
                                              {"2001:db8::1", 0},
                                              {"192.0.2.2", 0}};
    static const char *const texts[] = {
        "192.0.2.1:7", "[2001:db8::1]:7", "192.0.2.2:7"};
    const struct fake_name name = {"twice.test", .addresses = all, .count = 6};
    cf_addresses a;
    fake_names_use(&name, 1);
    expect_ok(call, cf_resolve(call, "twice.test", "7", CF_FOREVER, &a));
    expect(call, a.count == 3);
    for (size_t i = 0; i < 3; i++)
        expect(call, strcmp(a.at[i].text, texts[i]) == 0);
    cf_addresses_free(&a);
    return 0;
}

LOOP_TEST(loop_resolve, an_address_can_be_used)
{
    cf_addresses a;
    cf_datagram *receiver, *sender;
    char own[CF_ADDRESS_MAX], to[CF_ADDRESS_MAX], buf[8];
    size_t got;
    static const struct fake_address here[] = {{"127.0.0.1", 0}};
    const struct fake_name name = {"here.test", .addresses = here, .count = 1};
    fake_names_use(&name, 1);
    expect_ok(call,
              cf_datagram_create(call, "udp:here.test:0", NULL, &receiver));
    expect_ok(call, cf_datagram_address(receiver, own, sizeof own));
    expect_ok(
        call,
        cf_resolve(call, "here.test", strrchr(own, ':') + 1, CF_FOREVER, &a));
    expect_ok(call, cf_datagram_create(call, "udp:0.0.0.0:0", NULL, &sender));
    snprintf(to, sizeof to, "udp:%.100s", a.at[0].text);
    expect_ok(call, cf_datagram_send_to(sender, "hey", 3, to, CF_FOREVER));
    expect_ok(call,
              cf_datagram_receive_from(
                  receiver, buf, sizeof buf, CF_FOREVER, &got, NULL));
    expect(call, got == 3);
    cf_addresses_free(&a);
    cf_datagram_close(sender);
    cf_datagram_close(receiver);
    return 0;
}

LOOP_TEST(loop_resolve, what_the_system_says_is_an_error)
{
    static const struct {
        int status, error;
        cf_err err;
        int code; /* errno */
    } cases[] = {{EAI_NONAME, 0, CF_ESYS, ENOENT},
                 {EAI_NODATA, 0, CF_ESYS, ENOENT},
                 {EAI_AGAIN, 0, CF_ESYS, EAGAIN},
                 {EAI_SERVICE, 0, CF_ESYS, EPROTONOSUPPORT},
                 {EAI_FAIL, 0, CF_ESYS, EIO},
                 {EAI_SYSTEM, EMFILE, CF_ESYS, EMFILE},
                 {EAI_SYSTEM, 0, CF_ESYS, EIO},
                 {EAI_SYSTEM, ENOMEM, CF_ENOMEM, 0},
                 {EAI_MEMORY, 0, CF_ENOMEM, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct fake_name name = {.host = "wrong.test",
                                       .status = cases[i].status,
                                       .error = cases[i].error};
        cf_addresses a = {7, NULL};
        cf_stream *s = NULL;
        fake_names_use(&name, 1);
        expect(call,
               cf_resolve(call, "wrong.test", "1", CF_FOREVER, &a) ==
                   cases[i].err);
        expect(call, cases[i].err != CF_ESYS || errno == cases[i].code);
        expect(call, a.count == 7);
        expect(
            call,
            cf_stream_connect(call, "tcp:wrong.test:1", NULL, CF_FOREVER, &s) ==
                cases[i].err);
        expect(call, cases[i].err != CF_ESYS || errno == cases[i].code);
    }
    return 0;
}

static int
ask_elsewhere(cf_call *call, const void *arg, size_t arg_size)
{
    cf_addresses a;
    (void)arg;
    (void)arg_size;
    expect(call, cf_resolve(call, "127.0.0.1", "80", 0, &a) == CF_ENOTSUP);
    return 0;
}

Test(loop_resolve, in_a_task_of_a_pool_it_is_not_supported)
{
    cf_executor *ex;
    cf_future *f;
    cr_assert(cf_executor_open("threads:1", &ex) == CF_OK);
    cr_assert(cf_submit(ex, ask_elsewhere, NULL, 0, &f) == CF_OK);
    finish(f);
    cf_executor_destroy(ex);
}
