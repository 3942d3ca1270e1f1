/* SPDX-License-Identifier: MIT */
/*
 * Streams, against all that ends their waits: deadlines, interrupts, a peer
 * that goes, and tasks that close a stream under those that use it. Attacks the
 * protocols of "Streams" in event_loop/README.md.
 *
 * Each byte that is read is the next one of those that were written: so a wait
 * that ends early has said exactly how much it has done, and no buffer of a
 * task's is used after that. Threads beside the loop open, use and close
 * descriptors all the time, and see that nobody else touches them.
 */
#include "common.h"

#include <cfutures/event_loop.h>
#include <cfutures/listener.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PAIRS = 12,
    MOST = 400000,
    PIECE = 70000,
    VISITORS = 20,
    STORMS = 1,
    LOOKED_AT = 1024
};

struct round;

/* The loop's thread's. */
struct pair {
    struct round *round;
    uint64_t stream; /* of random numbers */
    cf_stream *s[2]; /* the first one is written, the second one read */
    bool closed[2];
    bool ended; /* the writer has shut its side: so many bytes were sent */
    size_t sent;
    int users;
};

struct round {
    uint64_t number;
    cf_executor *loop;
    struct pair pairs[PAIRS];
    cf_future *tasks[3 * PAIRS + VISITORS];
    size_t count; /* of tasks */
    char address[CF_ADDRESS_MAX];
    cf_listener *l;
    atomic_size_t begun; /* tasks: one that has not would be cancelled */
    atomic_bool over;
};

static atomic_uint_fast64_t bytes, interrupted, timed_out, closed, accepted;

static unsigned char
byte_at(const struct pair *p, size_t offset)
{
    uint64_t x = (offset + p->stream) * UINT64_C(0x9e3779b97f4a7c15);
    return (unsigned char)(x >> 56);
}

static void
close_one(struct pair *p, int i)
{
    if (p->closed[i])
        return;
    p->closed[i] = true;
    cf_stream_close(p->s[i]);
}

/* The last one closes what is open. */
static void
leave(struct pair *p)
{
    if (--p->users > 0)
        return;
    close_one(p, 0);
    close_one(p, 1);
}

static int64_t
random_timeout(struct random *r)
{
    unsigned kind = random_below(r, 10);
    return kind < 6 ? CF_FOREVER : kind < 7 ? 0 : 1 + random_below(r, 300000);
}

/* --- a connection --------------------------------------------------------- */

/* true: the task goes on. side is its own. */
static bool
goes_on(cf_call *call, struct pair *p, int side, cf_err err)
{
    switch (err) {
    case CF_OK:
        return true;
    case CF_ETIMEDOUT:
        atomic_fetch_add(&timed_out, 1);
        return cf_yield(call) == CF_OK && !p->closed[side];
    case CF_EINTERRUPTED:
        CHECK(p->closed[side] || cf_call_canceled(call));
        atomic_fetch_add(&interrupted, 1);
        return false;
    default:
        CHECK_EQ(err, CF_ESYS);
        CHECK(errno == EPIPE || errno == ECONNRESET);
        CHECK(p->closed[!side] || p->closed[side]);
        return false;
    }
}

static int
write_side(cf_call *call, const void *arg, size_t arg_size)
{
    struct pair *p = (struct pair *)(uintptr_t)arg;
    struct random r = random_stream(p->stream);
    const size_t length = random_below(&r, MOST);
    unsigned char *buf = malloc(PIECE);
    bool on = !p->closed[0];
    (void)arg_size;
    atomic_fetch_add(&p->round->begun, 1);
    while (on && p->sent < length) {
        size_t size =
            1 + random_below(&r, random_percent(&r, 20) ? PIECE : 999);
        size_t written;
        if (size > length - p->sent)
            size = length - p->sent;
        for (size_t i = 0; i < size; i++)
            buf[i] = byte_at(p, p->sent + i);
        cf_err err =
            cf_stream_write(p->s[0], buf, size, random_timeout(&r), &written);
        memset(buf, 0xee, size); /* it is ours again */
        CHECK(written <= size && (err || written == size));
        p->sent += written;
        on = goes_on(call, p, 0, err);
    }
    free(buf);
    if (!p->closed[0])
        p->ended = cf_stream_shutdown(p->s[0]) == CF_OK;
    leave(p);
    return 0;
}

/* In a random way. *got bytes are at *data, which is buf or lent. */
static cf_err
read_some(struct random *r,
          cf_stream *s,
          unsigned char *buf,
          const unsigned char **data,
          size_t *got)
{
    size_t size = 1 + random_below(r, random_percent(r, 20) ? PIECE : 999);
    int64_t timeout_ns = random_timeout(r);
    cf_bytes line = {NULL, 0};
    cf_err err = CF_ETOOBIG;
    *data = buf;
    *got = 0;
    unsigned kind = random_below(r, 3);
    if (kind == 0) {
        err = cf_stream_read_line(s, size, timeout_ns, &line);
        *data = line.data;
        *got = line.size;
        CHECK(line.size <= size);
        CHECK(err || memchr(line.data, '\n', line.size - 1) == NULL);
    } else if (kind == 1) {
        err = cf_stream_read_exactly(s, buf, size, timeout_ns, got);
        CHECK(err || *got == size);
    }
    if (err == CF_ETOOBIG) {
        *data = buf;
        err = cf_stream_read(s, buf, size, timeout_ns, got);
        CHECK((err == CF_OK) == (*got > 0));
    }
    return err;
}

static int
read_side(cf_call *call, const void *arg, size_t arg_size)
{
    struct pair *p = (struct pair *)(uintptr_t)arg;
    struct random r = random_stream(p->stream + 1);
    unsigned char *buf = malloc(PIECE);
    size_t offset = 0, got;
    bool on = !p->closed[1];
    (void)arg_size;
    atomic_fetch_add(&p->round->begun, 1);
    while (on) {
        const unsigned char *data;
        cf_err err = read_some(&r, p->s[1], buf, &data, &got);
        for (size_t i = 0; i < got; i++)
            CHECK_EQ(data[i], byte_at(p, offset + i));
        offset += got;
        atomic_fetch_add(&bytes, got);
        memset(buf, 0xdd, LOOKED_AT); /* what comes later would be seen */
        if (err == CF_EDONE) {
            CHECK(p->ended || p->closed[0]);
            if (p->ended && !p->closed[0])
                CHECK_EQ(offset, p->sent);
            break;
        }
        on = goes_on(call, p, 1, err);
        if (on && random_percent(&r, 5)) /* a slow one */
            on = cf_sleep(call, random_below(&r, 100000)) == CF_OK &&
                 !p->closed[1];
        for (size_t i = 0; on && i < LOOKED_AT; i++)
            CHECK_EQ(buf[i], 0xdd);
    }
    free(buf);
    close_one(p, 1); /* else the writer might wait for ever */
    leave(p);
    return 0;
}

static int
close_side(cf_call *call, const void *arg, size_t arg_size)
{
    struct pair *p = (struct pair *)(uintptr_t)arg;
    struct random r = random_stream(p->stream + 2);
    (void)arg_size;
    atomic_fetch_add(&p->round->begun, 1);
    if (random_percent(&r, 40)) {
        (void)cf_sleep(call, random_below(&r, 5000000));
        close_one(p, (int)random_below(&r, 2));
        atomic_fetch_add(&closed, 1);
    }
    leave(p);
    return 0;
}

/* --- a server ------------------------------------------------------------- */

static int
greet(cf_call *call, const void *arg, size_t arg_size)
{
    cf_stream *s = (cf_stream *)(uintptr_t)arg;
    (void)call;
    (void)arg_size;
    /* The visitor may be gone. */
    cf_err err = cf_stream_write(s, "hello", 5, CF_FOREVER, NULL);
    CHECK(err == CF_OK || err == CF_ESYS);
    cf_stream_close(s);
    return 0;
}

static int
serve(cf_call *call, const void *arg, size_t arg_size)
{
    struct round *round = (struct round *)(uintptr_t)arg;
    cf_stream *s;
    cf_err err;
    (void)arg_size;
    while ((err = cf_listener_accept(round->l, CF_FOREVER, &s)) == CF_OK) {
        atomic_fetch_add(&accepted, 1);
        if (cf_submit(cf_call_executor(call), greet, s, 0, NULL))
            cf_stream_close(s);
    }
    CHECK_EQ(err, CF_EINTERRUPTED);
    cf_listener_close(round->l);
    return 0;
}

static int
visit(cf_call *call, const void *arg, size_t arg_size)
{
    struct round *round = (struct round *)(uintptr_t)arg;
    struct random r = random_stream(round->number * 1000 + 900);
    cf_stream *s;
    char buf[6];
    size_t got;
    (void)arg_size;
    atomic_fetch_add(&round->begun, 1);
    for (int i = 0; i < 5; i++) {
        int64_t timeout_ns = random_timeout(&r);
        cf_err err =
            cf_stream_connect(call, round->address, NULL, timeout_ns, &s);
        if (err == CF_EINTERRUPTED)
            break;
        if (err == CF_ETIMEDOUT)
            continue;
        CHECK_EQ(err, CF_OK);
        err = cf_stream_read_exactly(s, buf, 5, timeout_ns, &got);
        CHECK(err == CF_EINTERRUPTED || err == CF_ETIMEDOUT || err == CF_OK);
        CHECK(memcmp(buf, "hello", got) == 0);
        cf_stream_close(s);
    }
    return 0;
}

/* --- beside the loop ------------------------------------------------------ */

/* Descriptors get the numbers of those that the loop has just closed. */
static void
storm(struct round *round, struct random *r)
{
    while (!atomic_load(&round->over)) {
        uint64_t mark = random_next(r), back = 0;
        int fds[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
            continue;
        CHECK_EQ(write(fds[0], &mark, sizeof mark), sizeof mark);
        random_delay(r, 20000);
        CHECK_EQ(read(fds[1], &back, sizeof back), sizeof back);
        CHECK(back == mark);
        CHECK(read(fds[1], &back, sizeof back) == -1 && errno == EAGAIN);
        CHECK_EQ(close(fds[0]), 0);
        CHECK_EQ(close(fds[1]), 0);
    }
}

static void
act(unsigned index, void *data)
{
    struct round *round = data;
    struct random r = random_stream(round->number * 1000 + 990 + index);
    if (index < STORMS) {
        storm(round, &r);
        return;
    }
    while (atomic_load(&round->begun) < round->count)
        random_delay(&r, 10000);
    for (int i = 0; i < 20 && !atomic_load(&round->over); i++) {
        random_delay(&r, 1000000);
        size_t victim = random_below(&r, (unsigned)round->count);
        (void)cf_future_interrupt(round->tasks[victim]);
    }
}

/* --- rounds --------------------------------------------------------------- */

static void
connect_pair(cf_call *call, struct round *round, struct pair *p, bool tcp)
{
    if (tcp) {
        CHECK_EQ(
            cf_stream_connect(call, round->address, NULL, CF_FOREVER, &p->s[0]),
            CF_OK);
        CHECK_EQ(cf_listener_accept(round->l, CF_FOREVER, &p->s[1]), CF_OK);
        return;
    }
    int fds[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(cf_stream_from_fd(call, fds[i], &p->s[i]), CF_OK);
}

static int
set_up(cf_call *call, const void *arg, size_t arg_size)
{
    struct round *round = (struct round *)(uintptr_t)arg;
    (void)arg_size;
    CHECK_EQ(cf_listener_create(call, "tcp:127.0.0.1:0", NULL, &round->l),
             CF_OK);
    CHECK_EQ(
        cf_listener_address(round->l, round->address, sizeof round->address),
        CF_OK);
    for (int i = 0; i < PAIRS; i++) {
        struct pair *p = &round->pairs[i];
        p->round = round;
        p->stream = round->number * 1000 + 10 * (uint64_t)i;
        p->users = 3;
        connect_pair(call, round, p, i % 2);
    }
    return 0;
}

static cf_future *
submit(struct round *round, cf_task_fn *fn, void *arg)
{
    cf_future *f;
    CHECK_EQ(cf_submit(round->loop, fn, arg, 0, &f), CF_OK);
    return f;
}

static void
wait_and_drop(cf_future *f)
{
    CHECK_EQ(cf_future_wait(f, CF_FOREVER), CF_OK);
    cf_future_unref(f);
}

static void
run_round(uint64_t number)
{
    static struct round round;
    struct crew crew;
    memset(&round, 0, sizeof round);
    round.number = number;
    CHECK_EQ(cf_event_loop_create(NULL, &round.loop), CF_OK);
    wait_and_drop(submit(&round, set_up, &round));
    cf_future *server = submit(&round, serve, &round);
    for (int i = 0; i < PAIRS; i++) {
        struct pair *p = &round.pairs[i];
        round.tasks[round.count++] = submit(&round, write_side, p);
        round.tasks[round.count++] = submit(&round, read_side, p);
        round.tasks[round.count++] = submit(&round, close_side, p);
    }
    for (int i = 0; i < VISITORS; i++)
        round.tasks[round.count++] = submit(&round, visit, &round);
    crew_start(&crew, STORMS + 1, act, &round);
    for (size_t i = 0; i < round.count; i++)
        CHECK_EQ(cf_future_wait(round.tasks[i], CF_FOREVER), CF_OK);
    atomic_store(&round.over, true);
    crew_join(&crew);
    for (size_t i = 0; i < round.count; i++)
        cf_future_unref(round.tasks[i]);
    CHECK(cf_future_interrupt(server));
    wait_and_drop(server);
    cf_executor_destroy(round.loop);
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    uint64_t rounds = 0;
    while (stress_goes_on()) {
        run_round(rounds++);
        stress_alive();
    }
    return stress_end("%" PRIu64 " rounds, %" PRIuFAST64 " bytes, %" PRIuFAST64
                      " interrupted, %" PRIuFAST64 " timed out, %" PRIuFAST64
                      " closed, %" PRIuFAST64 " accepted",
                      rounds,
                      atomic_load(&bytes),
                      atomic_load(&interrupted),
                      atomic_load(&timed_out),
                      atomic_load(&closed),
                      atomic_load(&accepted));
}
