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
    cr_expect(cf__stop_at(CF__NEVER) == inner->deadline_ns);
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

/* A deadline is not before its time, and a long one not much after it. */
Test(scope, deadlines_are_never_early)
{
    const int64_t timeouts[] = {1,
                                CF_MS(1),
                                CF_MS(999),
                                CF_SECONDS(4),
                                CF_SECONDS(1000),
                                INT64_MAX - 1};
    for (size_t i = 0; i < sizeof timeouts / sizeof *timeouts; i++) {
        cf_scope *scope;
        int64_t before = cf__now_ns();
        cr_assert(cf_scope_begin(NULL, timeouts[i], &scope) == CF_OK);
        int64_t after = cf__now_ns();
        int64_t first = cf__deadline_from(before, timeouts[i]);
        int64_t last = cf__deadline_from(after, timeouts[i]);
        if (timeouts[i] >= CF_SECONDS(4))
            last = cf__deadline_from(last, CF_MS(50));
        cr_expect(scope->deadline_ns >= first);
        cr_expect(scope->deadline_ns <= last);
        cr_assert(cf_scope_end(scope) == CF_OK);
    }
}
