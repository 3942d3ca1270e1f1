/* SPDX-License-Identifier: MIT */
/* Scopes without memory, and what a wait in scopes is told. */
#include "lib/executor/scope.h"

#include "lib/base/clock.h"
#include "lib/executor/stop.h"
#include "lib/future/block.h"

#include <criterion/criterion.h>

static bool no_memory;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
cf_future *__real_cf__block_refill(void);
cf_future *__wrap_cf__block_refill(void);

cf_future *
__wrap_cf__block_refill(void)
{
    return no_memory ? NULL : __real_cf__block_refill();
}

/* NOLINTEND(bugprone-reserved-identifier) */

Test(scope, without_memory)
{
    enum { MANY = 2 * CF__BLOCK_BATCH };
    cf_scope *scopes[MANY];
    int count = 0;
    cf_err err = cf_scope_begin(NULL, 0, &scopes[count++]);
    cr_assert(err == CF_OK);
    no_memory = true;
    while (count < MANY &&
           !(err = cf_scope_begin(NULL, CF_FOREVER, &scopes[count])))
        count++;
    cr_assert(err == CF_ENOMEM);
    cr_expect(cf__thread.scopes.innermost == scopes[count - 1]);
    cr_expect(cf_sleep(NULL, CF_FOREVER) == CF_EINTERRUPTED);
    while (count-- > 1)
        cr_expect(cf_scope_end(scopes[count]) == CF_EINTERRUPTED);
    cr_expect(cf_scope_end(scopes[0]) == CF_ETIMEDOUT);
    cr_expect(!cf__in_scopes());
}

Test(scope, the_first_deadline_counts)
{
    cf_scope *outer, *inner, *innermost;
    cr_assert(cf_scope_begin(NULL, CF_SECONDS(100), &outer) == CF_OK);
    cr_assert(cf_scope_begin(NULL, CF_SECONDS(10), &inner) == CF_OK);
    cr_assert(cf_scope_begin(NULL, CF_FOREVER, &innermost) == CF_OK);
    cr_expect(innermost->stop_ns == inner->deadline_ns);
    int64_t stop = cf__stop_at(CF__NEVER);
    cr_expect(stop == inner->deadline_ns);
    cr_expect(cf__stop_at(5) == 5);
    cr_assert(cf_scope_extend(outer, CF_SECONDS(1)) == CF_OK);
    cr_expect(cf__stop_at(CF__NEVER) == outer->deadline_ns);
    cr_assert(cf_scope_extend(outer, CF_FOREVER) == CF_OK);
    cr_assert(cf_scope_extend(inner, CF_FOREVER) == CF_OK);
    cr_expect(cf__stop_at(CF__NEVER) == CF__NEVER);
    cf_shield_begin(NULL);
    cr_assert(cf_scope_extend(innermost, 0) == CF_OK);
    cr_expect(cf__stop_at(CF__NEVER) == CF__NEVER);
    cr_expect(!cf__told_to_stop(NULL, NULL, true));
    cf_shield_end(NULL);
    cr_expect(cf__told_to_stop(NULL, NULL, false));
    cf__scopes_drop();
    cr_expect(!cf__in_scopes());
}

/* A deadline is not before its time, and not after that of a wait that begins
 * at once. */
Test(scope, deadlines_are_never_early)
{
    const int64_t timeouts[] = {
        1, CF_MS(1), CF_MS(499), CF_MS(500), CF_SECONDS(1000), INT64_MAX - 1};
    for (size_t i = 0; i < sizeof timeouts / sizeof *timeouts; i++) {
        cf_scope *scope;
        int64_t before = cf__now_ns();
        cr_assert(cf_scope_begin(NULL, timeouts[i], &scope) == CF_OK);
        int64_t stop = cf__stop_at(CF__NEVER);
        int64_t after = cf__now_ns();
        cr_expect(stop == scope->deadline_ns);
        cr_expect(stop >= cf__deadline_from(before, timeouts[i]));
        cr_expect(stop <= cf__deadline_from(after, timeouts[i]));
        cr_expect(cf__stop_at(CF__NEVER) == stop);
        cr_assert(cf_scope_end(scope) == CF_OK);
    }
}

/* Two clocks of which the second one stands between two ticks. */
static int64_t exact_ns, tick_ns;
static int exact_looks;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
int __real_clock_gettime(clockid_t id, struct timespec *at);
int __wrap_clock_gettime(clockid_t id, struct timespec *at);

int
__wrap_clock_gettime(clockid_t id, struct timespec *at)
{
    if (exact_ns == 0)
        return __real_clock_gettime(id, at);
    exact_looks += id == CLOCK_MONOTONIC;
    *at = cf__timespec(id == CLOCK_MONOTONIC ? exact_ns : tick_ns);
    return 0;
}

/* NOLINTEND(bugprone-reserved-identifier) */

static void
stop_clocks(void)
{
    tick_ns = CF__S(1000);
    exact_ns = tick_ns + CF__MS(3);
    exact_looks = 0;
}

Test(scope, a_long_limit_without_a_wait_needs_no_exact_clock)
{
    cf_scope *scope;
    stop_clocks();
    cr_assert(cf_scope_begin(NULL, CF_MS(500), &scope) == CF_OK);
    cr_assert(cf_scope_end(scope) == CF_OK);
    cr_expect(exact_looks == 0);
}

Test(scope, the_look_that_settles_a_limit_reads_the_clock_once)
{
    cf_scope *scope;
    stop_clocks();
    cr_assert(cf_scope_begin(NULL, CF_SECONDS(2), &scope) == CF_OK);
    cr_expect(!cf__told_to_stop(NULL, NULL, true));
    cr_expect(exact_looks == 1);
    cr_assert(cf_scope_end(scope) == CF_OK);
}

Test(scope, a_long_limit_counts_from_the_first_wait_but_not_from_later_ones)
{
    cf_scope *scope;
    stop_clocks();
    cr_assert(cf_scope_begin(NULL, CF_MS(500), &scope) == CF_OK);
    exact_ns += CF__MS(2);
    int64_t stop = exact_ns + CF__MS(500);
    cr_expect(cf__stop_at(CF__NEVER) == stop);
    exact_ns += CF__MS(10);
    cr_expect(cf__stop_at(CF__NEVER) == stop);
    exact_ns = stop - 1;
    cr_expect(!cf__told_to_stop(NULL, NULL, true));
    exact_ns = stop;
    cr_expect(cf__told_to_stop(NULL, NULL, true));
    cr_expect(cf_scope_end(scope) == CF_ETIMEDOUT);
}

Test(scope, a_late_first_wait_extends_a_long_limit_by_50_ms_at_most)
{
    cf_scope *scope;
    stop_clocks();
    cr_assert(cf_scope_begin(NULL, CF_MS(500), &scope) == CF_OK);
    exact_ns += CF__MS(300);
    cr_expect(cf__stop_at(CF__NEVER) == tick_ns + CF__MS(550));
    cr_assert(cf_scope_end(scope) == CF_OK);
}

Test(scope, one_wait_settles_all_scopes_around_it)
{
    cf_scope *outer, *middle, *inner;
    stop_clocks();
    cr_assert(cf_scope_begin(NULL, CF_SECONDS(2), &outer) == CF_OK);
    cr_assert(cf_scope_begin(NULL, CF_FOREVER, &middle) == CF_OK);
    cr_assert(cf_scope_begin(NULL, CF_SECONDS(5), &inner) == CF_OK);
    cf_shield_begin(NULL);
    cr_expect(cf__stop_at(CF__NEVER) == CF__NEVER);
    cf_shield_end(NULL);
    exact_ns += CF__MS(1);
    cr_expect(cf__stop_at(CF__NEVER) == exact_ns - CF__MS(1) + CF__S(2));
    cr_expect(inner->deadline_ns == exact_ns - CF__MS(1) + CF__S(5));
    cr_assert(cf_scope_extend(outer, CF_SECONDS(1)) == CF_OK);
    exact_ns += CF__MS(20);
    cr_expect(cf__stop_at(CF__NEVER) == exact_ns - CF__MS(20) + CF__S(1));
    cf__scopes_drop();
}
