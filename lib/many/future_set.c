/* SPDX-License-Identifier: MIT */
/* A set of futures: see future_set.h. At most half full, so that a search soon
 * finds a free slot. */
#include "lib/many/future_set.h"

#include "lib/base/assert.h"
#include "lib/base/large.h"
#include "lib/base/size.h"

enum { FIRST_SIZE = 16 };

/* The slot where the search for f begins. Eight futures that are neighbours in
 * memory have slots in one cache line. The lines are spread by Fibonacci
 * hashing, so that long runs of blocks do not make long runs of slots. */
static size_t
home(const struct cf__future_set *set, const cf_future *f)
{
    uint64_t block = (uintptr_t)f / sizeof *f;
    uint64_t line = (block >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    return (size_t)(line << 3 | (block & 7)) & set->mask;
}

bool
cf__future_set_add(struct cf__future_set *set, cf_future *f)
{
    size_t i = home(set, f);
    while (set->slots[i]) {
        if (set->slots[i] == f)
            return false;
        i = (i + 1) & set->mask;
    }
    set->slots[i] = f;
    set->count++;
    return true;
}

void
cf__future_set_fini(struct cf__future_set *set)
{
    /* Without slots the size does not matter. */
    cf__large_free(set->slots, (set->mask + 1) * sizeof *set->slots);
}

cf_err
cf__future_set_reserve(struct cf__future_set *set, size_t count)
{
    size_t size = set->slots ? set->mask + 1 : 0;
    size_t wanted = size ? size : FIRST_SIZE;
    if (!cf__array_fits(count, 4 * sizeof *set->slots) ||
        count > CF__SIZE_MAX / (4 * sizeof *set->slots) - set->count)
        return CF_ENOMEM;
    while (wanted < 2 * (set->count + count))
        wanted *= 2;
    if (wanted == size)
        return CF_OK;
    struct cf__future_set larger = {
        cf__large_calloc(wanted * sizeof *larger.slots), wanted - 1, 0};
    if (!larger.slots)
        return CF_ENOMEM;
    for (size_t i = 0; i < size; i++)
        if (set->slots[i])
            (void)cf__future_set_add(&larger, set->slots[i]);
    cf__future_set_fini(set);
    *set = larger;
    return CF_OK;
}

/* Closes the gap that f leaves: a future that a search would not find beyond
 * the gap moves into it. */
void
cf__future_set_remove(struct cf__future_set *set, const cf_future *f)
{
    size_t gap = home(set, f);
    while (set->slots[gap] != f)
        gap = (gap + 1) & set->mask;
    for (size_t i = (gap + 1) & set->mask; set->slots[i];
         i = (i + 1) & set->mask) {
        size_t distance = (i - home(set, set->slots[i])) & set->mask;
        if (distance >= ((i - gap) & set->mask)) {
            set->slots[gap] = set->slots[i];
            gap = i;
        }
    }
    set->slots[gap] = NULL;
    set->count--;
}

#ifdef CF_ASSERTIONS

enum { LOOKS_MAX = 100 };

bool
cf__future_set_has(const struct cf__future_set *set, const cf_future *f)
{
    if (!set->slots)
        return false;
    size_t i = home(set, f);
    while (set->slots[i] && set->slots[i] != f)
        i = (i + 1) & set->mask;
    return set->slots[i] != NULL;
}

/* Looks at the first slots; returns how many futures are there. */
static size_t
check_slots(const struct cf__future_set *set)
{
    size_t found = 0;
    for (size_t i = 0; i <= set->mask && i < LOOKS_MAX; i++) {
        if (set->slots[i]) {
            /* No free slot is between its home and it. */
            cf__assert(cf__future_set_has(set, set->slots[i]));
            found++;
        }
    }
    return found;
}

void
cf__future_set_check(const struct cf__future_set *set)
{
    if (!set->slots) {
        cf__assert(set->mask == 0 && set->count == 0);
        return;
    }
    size_t size = set->mask + 1;
    cf__assert(size >= FIRST_SIZE && (size & set->mask) == 0);
    cf__assert(set->count <= size / 2); /* so each search ends */
    size_t found = check_slots(set);
    cf__assert(size > LOOKS_MAX ? found <= set->count : found == set->count);
}

#endif
