/* SPDX-License-Identifier: MIT */
/* Attempts to connect, of which the first that succeeds wins: stream_race.h. */
#include "event_loop/stream_race.h"

#include <errno.h>
#include <stdlib.h>

/* The "Connection Attempt Delay" that RFC 8305 recommends. */
#define HEAD_START_NS CF__MS(250)

struct race;

/* Lives until libuv has done with it. */
struct attempt {
    uv_connect_t request;
    struct race *race; /* NULL: it is over */
    cf_stream *s;
};

/* On the stack of the task that connects. */
struct race {
    const struct cf__connecting *c;
    struct cf__io_waiter waiter;
    struct attempt *attempts[CF__ADDRESSES_MAX]; /* NULL: failed */
    size_t begun;                                /* so many of these */
    size_t running;
    bool go_on; /* with the next address: none was tried, or one has failed */
    cf_stream *winner;
    cf_err err; /* of the one that failed last, with its error */
    int error;
};

static void
note_failure(struct race *race, cf_err err)
{
    race->err = err;
    race->error = errno;
    race->go_on = true;
}

/* It has ended: its request is libuv's no more. */
static void
take_out(struct race *race, const struct attempt *attempt)
{
    size_t i = 0;
    while (race->attempts[i] != attempt)
        i++;
    race->attempts[i] = NULL;
    race->running--;
}

static void
on_connected(uv_connect_t *request, int status)
{
    struct attempt *attempt = request->data;
    struct race *race = attempt->race;
    cf_stream *s = attempt->s;
    if (race) {
        take_out(race, attempt);
        if (status) {
            note_failure(race, cf__io_error(status));
        } else if (!race->winner) {
            race->winner = s;
            s = NULL;
        }
        if (s && !s->closed) /* it is if the loop has ended under the task */
            cf__stream_end(s);
        cf__io_finish(&race->waiter);
    }
    free(attempt);
}

static cf_err
begin_attempt(struct race *race,
              struct attempt *attempt,
              const struct cf__address *address)
{
    struct cf__evloop *loop = race->c->loop;
    cf_stream *s = cf__stream_new(loop);
    if (!s)
        return CF_ENOMEM;
    (void)uv_tcp_init(cf__io_uv(loop), &s->uv.tcp); /* makes no socket */
    cf__stream_begin(s);
    attempt->request.data = attempt;
    attempt->race = race;
    attempt->s = s;
    int rc = uv_tcp_connect(
        &attempt->request, &s->uv.tcp, &address->as.any, on_connected);
    if (rc)
        cf__stream_end(s);
    return cf__io_error(rc);
}

/* The next address. If it fails at once, that is noted. */
static void
try_next(struct race *race, const struct cf__addresses *addresses)
{
    size_t i = race->begun++;
    race->go_on = false;
    struct attempt *attempt = calloc(1, sizeof *attempt);
    cf_err err =
        attempt ? begin_attempt(race, attempt, &addresses->at[i]) : CF_ENOMEM;
    if (err) {
        note_failure(race, err);
        free(attempt);
        attempt = NULL;
    }
    race->attempts[i] = attempt;
    race->running += attempt != NULL;
}

/* Closes the others. Their callbacks free the attempts. */
static void
end_attempts(struct race *race)
{
    for (size_t i = 0; i < race->begun; i++) {
        struct attempt *attempt = race->attempts[i];
        if (!attempt)
            continue;
        attempt->race = NULL;
        cf__stream_end(attempt->s);
    }
}

static cf_err
run(struct race *race, const struct cf__addresses *addresses)
{
    const struct cf__connecting *c = race->c;
    int64_t next_at = CF__NEVER;
    while (!race->winner) {
        const bool more = race->begun < addresses->count;
        if (more && (race->go_on || cf__now_ns() >= next_at)) {
            try_next(race, addresses);
            next_at = cf__now_ns() + HEAD_START_NS;
            continue;
        }
        if (race->running == 0) {
            errno = race->error;
            return race->err;
        }
        race->waiter.done = false;
        int64_t until =
            more ? cf__sooner(c->deadline_ns, next_at) : c->deadline_ns;
        cf_err err = cf__io_wait(c->loop, c->self, &race->waiter.done, until);
        if (err && (err != CF_ETIMEDOUT || until == c->deadline_ns))
            return err;
    }
    return CF_OK;
}

cf_err
cf__stream_race(const struct cf__connecting *c,
                const struct cf__addresses *addresses,
                cf_stream **out)
{
    struct race race = {.c = c, .waiter = {c->self, false}, .go_on = true};
    cf_err err = run(&race, addresses);
    int error = errno;
    end_attempts(&race);
    errno = error;
    if (err)
        return err;
    cf__stream_set_options(race.winner, c->options);
    *out = race.winner;
    return CF_OK;
}
