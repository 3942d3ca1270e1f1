/* SPDX-License-Identifier: MIT */
/*
 * Names that tasks look up, against all that ends their waits: deadlines,
 * interrupts, loops that end while names are still looked up. Attacks the
 * protocol of "Names" in event_loop/README.md. The names are this program's
 * own: each answer is known, and comes at once or late.
 */
#include "common.h"

#include <cfutures/event_loop.h>
#include <cfutures/resolve.h>

#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TASKS = 60, NAMES = 4 };

struct round {
    cf_executor *loop;
    cf_future *tasks[TASKS];
    uint64_t number;
    atomic_bool over;
};

static atomic_int asking;
static atomic_uint_fast64_t answered, interrupted, timed_out, unknown;

/* "N.test" is the address N, and does not exist if N is divisible by 16. */
/* NOLINTNEXTLINE: libc's name for it */
int
getaddrinfo(const char *host,
            const char *service,
            const struct addrinfo *hints,
            struct addrinfo **out)
{
    (void)service;
    if (hints->ai_flags & AI_NUMERICHOST)
        return EAI_NONAME;
    uint32_t number = (uint32_t)strtoul(host, NULL, 10);
    atomic_fetch_add(&asking, 1);
    if (number % 7 == 0)
        usleep(number % 3000);
    atomic_fetch_sub(&asking, 1);
    if (number % 16 == 0)
        return EAI_NONAME;
    struct sockaddr_in *address; /* in one block, as glibc's */
    struct addrinfo *ai = calloc(1, sizeof *ai + sizeof *address);
    CHECK(ai);
    address = (struct sockaddr_in *)(void *)(ai + 1);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(number);
    ai->ai_family = AF_INET;
    ai->ai_addrlen = sizeof *address;
    ai->ai_addr = (struct sockaddr *)(void *)address;
    *out = ai;
    return 0;
}

static void
check_answer(cf_err err, uint32_t number, cf_addresses *addresses)
{
    if (err == CF_ESYS) {
        CHECK_EQ(number % 16, 0);
        atomic_fetch_add(&unknown, 1);
        return;
    }
    CHECK_EQ(err, CF_OK);
    CHECK_EQ(addresses->count, 1);
    const struct sockaddr_in *address =
        (const struct sockaddr_in *)(const void *)addresses->at[0].sockaddr;
    CHECK_EQ(ntohl(address->sin_addr.s_addr), number);
    cf_addresses_free(addresses);
    atomic_fetch_add(&answered, 1);
}

static int
look_up(cf_call *call, const void *arg, size_t arg_size)
{
    struct random r;
    memcpy(&r, arg, arg_size);
    for (int i = 0; i < NAMES; i++) {
        uint32_t number = (uint32_t)random_next(&r);
        unsigned kind = random_below(&r, 10);
        int64_t timeout_ns = kind < 6   ? CF_FOREVER
                             : kind < 7 ? 0
                                        : 1 + random_below(&r, 3000000);
        char host[32];
        cf_addresses addresses;
        snprintf(host, sizeof host, "%" PRIu32 ".test", number);
        cf_err err = cf_resolve(call, host, NULL, timeout_ns, &addresses);
        memset(host, 'x', sizeof host); /* it has been copied */
        if (err == CF_EINTERRUPTED) {
            atomic_fetch_add(&interrupted, 1);
            break;
        }
        if (err == CF_ETIMEDOUT)
            atomic_fetch_add(&timed_out, 1);
        else
            check_answer(err, number, &addresses);
    }
    return 0;
}

static void
interrupt_some(unsigned index, void *data)
{
    struct round *round = data;
    struct random r = random_stream(round->number * 1000 + 900 + index);
    for (int i = 0; i < TASKS && !atomic_load(&round->over); i++) {
        random_delay(&r, 100000);
        (void)cf_future_interrupt(round->tasks[random_below(&r, TASKS)]);
    }
}

static void
run_round(uint64_t number)
{
    struct round round = {.number = number};
    struct crew crew;
    CHECK_EQ(cf_event_loop_create(NULL, &round.loop), CF_OK);
    for (int i = 0; i < TASKS; i++) {
        struct random r = random_stream(number * 1000 + (unsigned)i);
        CHECK_EQ(cf_submit(round.loop, look_up, &r, sizeof r, &round.tasks[i]),
                 CF_OK);
    }
    crew_start(&crew, 2, interrupt_some, &round);
    for (int i = 0; i < TASKS; i++)
        CHECK_EQ(cf_future_wait(round.tasks[i], CF_FOREVER), CF_OK);
    atomic_store(&round.over, true);
    crew_join(&crew);
    for (int i = 0; i < TASKS; i++)
        cf_future_unref(round.tasks[i]);
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
    while (atomic_load(&asking) > 0)
        sched_yield();
    return stress_end("%" PRIu64 " rounds, %" PRIuFAST64
                      " names answered, %" PRIuFAST64 " unknown, %" PRIuFAST64
                      " interrupted, %" PRIuFAST64 " timed out",
                      rounds,
                      atomic_load(&answered),
                      atomic_load(&unknown),
                      atomic_load(&interrupted),
                      atomic_load(&timed_out));
}
