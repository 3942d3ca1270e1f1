/* SPDX-License-Identifier: MIT */
/* Datagrams. */
#include "loop_streams.h"

#define MS INT64_C(1000000)
#define ANY "udp:127.0.0.1:0"

/* Two sockets, and the address of the second one. */
static cf_err
udp_pair(cf_call *call, cf_datagram *pair[2], char *address)
{
    cf_err err = cf_datagram_create(call, ANY, NULL, &pair[0]);
    if (!err)
        err = cf_datagram_create(call, ANY, NULL, &pair[1]);
    return err ? err : cf_datagram_address(pair[1], address, CF_ADDRESS_MAX);
}

static void
close_both(cf_datagram *pair[2])
{
    cf_datagram_close(pair[0]);
    cf_datagram_close(pair[1]);
}

LOOP_TEST(loop_datagram, messages_stay_apart)
{
    cf_datagram *pair[2];
    char to[CF_ADDRESS_MAX], from[CF_ADDRESS_MAX], own[CF_ADDRESS_MAX];
    char buf[16];
    size_t got;
    expect_ok(call, udp_pair(call, pair, to));
    expect_ok(call, cf_datagram_address(pair[0], own, sizeof own));
    expect_ok(call, cf_datagram_send_to(pair[0], "one", 3, to, CF_FOREVER));
    expect_ok(call, cf_datagram_send_to(pair[0], NULL, 0, to, CF_FOREVER));
    expect_ok(call, cf_datagram_send_to(pair[0], "three", 5, to, CF_FOREVER));
    expect_ok(
        call,
        cf_datagram_receive_from(pair[1], buf, 16, CF_FOREVER, &got, from));
    expect(call, got == 3 && memcmp(buf, "one", 3) == 0);
    expect(call, strcmp(from, own) == 0);
    expect_ok(
        call,
        cf_datagram_receive_from(pair[1], buf, 16, CF_FOREVER, &got, NULL));
    expect(call, got == 0);
    expect_ok(
        call,
        cf_datagram_receive_from(pair[1], buf, 2, CF_FOREVER, &got, from));
    expect(call, got == 5 && memcmp(buf, "th", 2) == 0);
    expect_ok(call, cf_datagram_send_to(pair[1], "re", 2, from, CF_FOREVER));
    expect_ok(
        call,
        cf_datagram_receive_from(pair[0], buf, 16, CF_FOREVER, &got, from));
    expect(call, got == 2 && strcmp(from, to) == 0);
    close_both(pair);
    return 0;
}

LOOP_TEST(loop_datagram, waits_end_by_time)
{
    cf_datagram *pair[2];
    char to[CF_ADDRESS_MAX], buf[4];
    size_t got = 1;
    expect_ok(call, udp_pair(call, pair, to));
    for (int64_t t = 0; t < 3 * MS; t += MS)
        expect(call,
               cf_datagram_receive_from(pair[1], buf, 4, t, &got, NULL) ==
                   CF_ETIMEDOUT);
    expect(call, got == 0);
    expect_ok(call, cf_datagram_send_to(pair[0], "x", 1, to, 0));
    expect_ok(
        call,
        cf_datagram_receive_from(pair[1], buf, 4, CF_FOREVER, &got, NULL));
    close_both(pair);
    return 0;
}

struct receive {
    cf_datagram *d;
    cf_err err;
};

static int
receive(cf_call *call, const void *arg, size_t arg_size)
{
    struct receive *r = (struct receive *)(uintptr_t)arg;
    char buf[4];
    size_t got;
    (void)call;
    (void)arg_size;
    r->err = cf_datagram_receive_from(r->d, buf, 4, CF_FOREVER, &got, NULL);
    return 0;
}

LOOP_TEST(loop_datagram, waits_end_by_interrupts_and_closing)
{
    cf_datagram *pair[2];
    char to[CF_ADDRESS_MAX], buf[4];
    size_t got;
    expect_ok(call, udp_pair(call, pair, to));
    struct receive r = {.d = pair[1]};
    cf_future *f = start(call, receive, &r);
    expect_ok(call, cf_sleep(call, MS));
    expect(call,
           cf_datagram_receive_from(pair[1], buf, 4, CF_FOREVER, &got, NULL) ==
               CF_EINVAL);
    expect(call, cf_future_interrupt(f));
    (void)cf_future_wait(f, CF_FOREVER);
    cf_future_unref(f);
    expect(call, r.err == CF_EINTERRUPTED);
    expect_ok(call, cf_datagram_send_to(pair[0], "x", 1, to, CF_FOREVER));
    r.err = CF_EINVAL;
    expect_ok(call, join(start(call, receive, &r)));
    expect_ok(call, r.err);
    f = start(call, receive, &r);
    expect_ok(call, cf_sleep(call, MS));
    close_both(pair);
    expect_ok(call, join(f));
    expect(call, r.err == CF_EINTERRUPTED);
    return 0;
}

LOOP_TEST(loop_datagram, a_peer)
{
    cf_datagram *d, *peer, *stranger;
    cf_datagram_options opts = CF_DATAGRAM_OPTIONS_INIT;
    char own[CF_ADDRESS_MAX], to[CF_ADDRESS_MAX], buf[4];
    size_t got;
    expect_ok(call, cf_datagram_create(call, ANY, NULL, &peer));
    expect_ok(call, cf_datagram_create(call, ANY, NULL, &stranger));
    expect_ok(call, cf_datagram_address(peer, to, sizeof to));
    opts.peer = to;
    expect_ok(call, cf_datagram_create(call, ANY, &opts, &d));
    expect_ok(call, cf_datagram_address(d, own, sizeof own));
    expect_ok(call, cf_datagram_send_to(d, "hi", 2, NULL, CF_FOREVER));
    expect_ok(call,
              cf_datagram_receive_from(peer, buf, 4, CF_FOREVER, &got, NULL));
    expect_ok(call, cf_datagram_send_to(stranger, "no", 2, own, CF_FOREVER));
    expect_ok(call, cf_datagram_send_to(peer, "yes", 3, own, CF_FOREVER));
    expect_ok(call,
              cf_datagram_receive_from(d, buf, 4, CF_FOREVER, &got, NULL));
    expect(call, got == 3);
    cf_datagram_close(stranger);
    cf_datagram_close(peer);
    expect_ok(call, cf_sleep(call, MS));
    expect_ok(call, cf_datagram_send_to(d, "gone?", 5, NULL, CF_FOREVER));
    expect(call,
           cf_datagram_receive_from(d, buf, 4, CF_FOREVER, &got, NULL) ==
               CF_ESYS);
    expect(call, errno == ECONNREFUSED);
    cf_datagram_close(d);
    return 0;
}

LOOP_TEST(loop_datagram, what_is_refused)
{
    static char large[70000];
    cf_datagram *pair[2], *other;
    cf_datagram_options opts = CF_DATAGRAM_OPTIONS_INIT;
    char to[CF_ADDRESS_MAX];
    expect_ok(call, udp_pair(call, pair, to));
    expect(call,
           cf_datagram_send_to(pair[0], large, sizeof large, to, 0) == CF_ESYS);
    expect(call, errno == EMSGSIZE);
    expect(call, cf_datagram_send_to(pair[0], "x", 1, NULL, 0) == CF_ESYS);
    expect(call, errno == EDESTADDRREQ);
    expect(call,
           cf_datagram_send_to(pair[0], "x", 1, "udp:example.org:1", 0) ==
               CF_EINVAL);
    expect(call, cf_datagram_create(call, to, NULL, &other) == CF_ESYS);
    expect(call, errno == EADDRINUSE);
    opts.peer = "unix:/x";
    expect(call, cf_datagram_create(call, ANY, &opts, &other) == CF_EINVAL);
    close_both(pair);
    return 0;
}

enum { MANY = 2000 };

static int
send_many(cf_call *call, const void *arg, size_t arg_size)
{
    cf_datagram *d;
    (void)arg_size;
    expect_ok(call, cf_datagram_create(call, "unix:@", NULL, &d));
    for (int i = 0; i < MANY; i++)
        expect_ok(call, cf_datagram_send_to(d, &i, sizeof i, arg, CF_FOREVER));
    cf_datagram_close(d);
    return 0;
}

/* The system holds up the sender: none is lost. */
LOOP_TEST(loop_datagram, unix_datagrams_wait_for_room)
{
    cf_datagram *d;
    char address[CF_ADDRESS_MAX];
    size_t got;
    int number;
    snprintf(address, sizeof address, "unix:@cf-datagram-%d", (int)getpid());
    expect_ok(call, cf_datagram_create(call, address, NULL, &d));
    cf_future *f = start(call, send_many, address);
    expect_ok(call, cf_sleep(call, 2 * MS));
    for (int i = 0; i < MANY; i++) {
        expect_ok(call,
                  cf_datagram_receive_from(
                      d, &number, sizeof number, CF_FOREVER, &got, NULL));
        expect(call, got == sizeof number && number == i);
    }
    expect_ok(call, join(f));
    cf_datagram_close(d);
    return 0;
}
