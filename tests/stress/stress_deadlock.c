/* SPDX-License-Identifier: MIT */
/*
 * Tasks that wait for each other at random, cycles included. Attacks
 * lib/executor/wait_graph.c (the last of the waits that make up a cycle must
 * find it, also when several fall asleep at once) and
 * lib/executor/wait_in_task.c (pending tasks run on top of a waiting one; a
 * waiter sleeps, and is woken to help).
 *
 * No wait hangs. A wait that says CF_EDEADLK is right: the future cannot have
 * ended meanwhile, as it waits for the caller.
 */
#include "common.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP = 8, GROUPS = 40, WAITS_MAX = 3, TOGETHER = 3 };

static atomic_uint_fast64_t waits, deadlocks;

struct group {
    cf_future *futures[GROUP];
    atomic_bool complete; /* all futures are known */
    uint64_t stream;
    bool only_forever; /* no wait has a time limit */
};

struct member {
    struct group *group;
    unsigned index;
};

static int
leaf(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    return 0;
}

/* One wait for one other member. */
static void
wait_for_one(struct group *group, cf_future *f, struct random *r)
{
    bool forever = group->only_forever || random_percent(r, 70);
    cf_err err =
        cf_future_wait(f, forever ? CF_FOREVER : random_below(r, 100000));
    if (err == CF_EDEADLK) {
        atomic_fetch_add(&deadlocks, 1);
        CHECK(!group->only_forever || !cf_future_done(f));
    } else if (err == CF_OK) {
        CHECK(cf_future_done(f));
    } else {
        CHECK_EQ(err, CF_ETIMEDOUT);
        CHECK(!forever);
    }
}

/* One wait for some members, itself perhaps among them. */
static void
wait_for_some(struct group *group, struct random *r)
{
    cf_future *some[TOGETHER];
    unsigned first = random_below(r, GROUP);
    for (unsigned i = 0; i < TOGETHER; i++)
        some[i] = group->futures[(first + i) % GROUP];
    cf_return_when when =
        random_percent(r, 50) ? CF_ALL_COMPLETED : CF_FIRST_COMPLETED;
    size_t done = 0;
    cf_err err = cf_wait(some, TOGETHER, when, CF_FOREVER, &done);
    if (err == CF_EDEADLK) {
        atomic_fetch_add(&deadlocks, 1);
    } else {
        CHECK_EQ(err, CF_OK);
        CHECK(done >= (when == CF_ALL_COMPLETED ? TOGETHER : 1));
    }
}

static int
run_member(cf_call *call, const void *arg, size_t arg_size)
{
    struct member member;
    CHECK_EQ(arg_size, sizeof member);
    memcpy(&member, arg, sizeof member);
    struct group *group = member.group;
    struct random r = random_stream(group->stream + member.index);
    while (!atomic_load(&group->complete))
        sched_yield();
    for (unsigned n = random_below(&r, WAITS_MAX + 1); n > 0; n--) {
        atomic_fetch_add(&waits, 1);
        if (random_percent(&r, 20)) {
            cf_future *f;
            CHECK_EQ(cf_submit(cf_call_executor(call), leaf, NULL, 0, &f),
                     CF_OK);
            CHECK_EQ(cf_future_wait(f, CF_FOREVER), CF_OK);
            cf_future_unref(f);
        } else if (!group->only_forever && random_percent(&r, 30)) {
            wait_for_some(group, &r);
        } else {
            wait_for_one(group, group->futures[random_below(&r, GROUP)], &r);
        }
    }
    stress_alive();
    return 0;
}

/* From inside, so that the members are in a deque, or from outside. */
static int
submit_members(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    struct member *members = (struct member *)(uintptr_t)arg;
    struct group *group = members[0].group;
    CHECK_EQ(cf_submit_many(cf_call_executor(call),
                            run_member,
                            members,
                            sizeof members[0],
                            GROUP,
                            group->futures),
             CF_OK);
    atomic_store(&group->complete, true);
    return 0;
}

static void
one_group(cf_executor *ex, struct random *r)
{
    struct group group = {.stream = random_next(r),
                          .only_forever = random_percent(r, 50)};
    struct member members[GROUP];
    for (unsigned i = 0; i < GROUP; i++)
        members[i] = (struct member){&group, i};
    if (random_percent(r, 50)) {
        cf_future *f;
        CHECK_EQ(cf_submit(ex, submit_members, members, 0, &f), CF_OK);
        CHECK_EQ(cf_future_result(f, CF_FOREVER, NULL), CF_OK);
        cf_future_unref(f);
    } else {
        for (unsigned i = 0; i < GROUP; i++)
            CHECK_EQ(cf_submit(ex,
                               run_member,
                               &members[i],
                               sizeof members[i],
                               &group.futures[i]),
                     CF_OK);
        atomic_store(&group.complete, true);
    }
    for (unsigned i = 0; i < GROUP; i++)
        CHECK_EQ(cf_future_result(group.futures[i], CF_FOREVER, NULL), CF_OK);
    for (unsigned i = 0; i < GROUP; i++)
        cf_future_unref(group.futures[i]);
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    for (uint64_t round = 1; stress_goes_on(); round++) {
        struct random r = random_stream(round);
        cf_executor *ex = stress_random_pool(&r);
        for (int i = 0; i < GROUPS; i++)
            one_group(ex, &r);
        stress_pool_destroy(ex);
    }
    return stress_end("%llu waits, %llu of them would never have ended",
                      (unsigned long long)waits,
                      (unsigned long long)deadlocks);
}
