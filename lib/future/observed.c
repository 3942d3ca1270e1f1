/* SPDX-License-Identifier: MIT */
/*
 * Futures that are observed: see observed.h. With CF_DEBUG each has a record,
 * from which a report at the program's end is made. With CF_DEBUG or
 * AddressSanitizer the blocks of freed futures rest for a while, oldest first,
 * so that a use of them can be noticed. One lock guards both. A fork's child
 * begins without any of it.
 */
#include "lib/future/observed.h"

#include "lib/base/cancel.h"
#include "lib/base/lock.h"
#include "lib/base/place.h"
#include "lib/future/block.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

/* As in lib/base/stay_loaded.c. */
#pragma weak dladdr

enum {
    RESTING_MAX = 64 << 10, /* blocks, with CF_DEBUG: 8 MiB */
    RESTING_FEW = 1 << 10,  /* ... and without */
    BUCKETS = 1 << 14,
    NAME_SIZE = 48,
    PLACE_SIZE = 256,
    GROUPS = 16,   /* lines of the report */
    UNUSED_AT = 16 /* the first bytes of a free block are in use: block.h */
};

/* What CF_DEBUG knows of a future. */
struct record {
    struct record *next; /* of its bucket */
    const cf_future *f;
    cf_task_fn *fn;    /* NULL: a promise */
    uint64_t number;   /* of records, in the order in which they begin */
    const void *place; /* that made it, in the program. NULL: not known */
    char name[NAME_SIZE];
};

static struct {
    struct cf__lock lock;
    uint16_t generation;     /* of the process that wrote the rest */
    cf_future *first, *last; /* resting, by next: the first rests longest */
    size_t resting;
    uint64_t records; /* so many have begun */
    struct record *buckets[BUCKETS];
} seen;

static void
lock(void)
{
    cf__lock(&seen.lock);
    if (__builtin_expect(seen.generation == cf__generation, 1))
        return;
    /* What a thread of the parent was writing may be half written. */
    seen.first = seen.last = NULL;
    seen.resting = 0;
    memset(seen.buckets, 0, sizeof seen.buckets);
    seen.generation = cf__generation;
}

static struct record **
bucket_of(const cf_future *f)
{
    return &seen.buckets[(uintptr_t)f / sizeof *f % BUCKETS];
}

/* Without memory f is not counted. */
static void
enter_record(const cf_future *f)
{
    struct record *record = malloc(sizeof *record);
    if (!record)
        return;
    const char *name = cf__name(f);
    *record = (struct record){
        .f = f, .fn = f->executor ? f->fn : NULL, .place = cf__place_of_call()};
    (void)snprintf(record->name, sizeof record->name, "%s", name ? name : "");
    lock();
    record->number = seen.records++;
    struct record **bucket = bucket_of(f);
    record->next = *bucket;
    *bucket = record;
    cf__unlock(&seen.lock);
}

static void
drop_record(const cf_future *f)
{
    lock();
    struct record **at = bucket_of(f), *found;
    while (*at && (*at)->f != f)
        at = &(*at)->next;
    found = *at;
    if (found)
        *at = found->next;
    cf__unlock(&seen.lock);
    free(found);
}

void
cf__observed_begin(cf_future *f)
{
    if (!cf__observers)
        return;
    if (!(f->owned & CF__OBSERVED)) {
        f->owned |= CF__OBSERVED;
        if (cf__observers & CF__OBSERVES_USE && !(f->owned & CF__JOB))
            enter_record(f);
    }
    cf__observer_acquire(f); /* what was done with the block before */
    cf__observer_release(f);
}

/* --- resting -------------------------------------------------------------- */

/* Puts f last. Returns the one that has rested longest, if that is enough. */
static cf_future *
rest(cf_future *f)
{
    const size_t most =
        cf__observers & CF__OBSERVES_USE ? RESTING_MAX : RESTING_FEW;
    cf_future *rested = NULL;
    cf_store_relaxed(&f->next, NULL); /* under the lock */
    lock();
    if (seen.last)
        cf_store_relaxed(&seen.last->next, f);
    else
        seen.first = f;
    seen.last = f;
    if (++seen.resting > most) {
        rested = seen.first;
        seen.first = cf_load_relaxed(&rested->next);
        seen.resting--;
    }
    cf__unlock(&seen.lock);
    return rested;
}

void
cf__observed_end(cf_future *f)
{
    unsigned char *bytes = (unsigned char *)f;
    cf__observer_acquire(f); /* uses by those that had other handles */
    cf__observer_release(f);
    if (cf__observers & CF__OBSERVES_USE && !(f->owned & CF__JOB))
        drop_record(f);
    if (cf__observers & (CF__OBSERVES_USE | CF__OBSERVES_MEMORY)) {
        cf__observer_forbid(bytes + UNUSED_AT, sizeof *f - UNUSED_AT);
        f = rest(f);
        bytes = (unsigned char *)f;
        if (f)
            cf__observer_allow(bytes + UNUSED_AT, sizeof *f - UNUSED_AT);
    }
    if (f)
        cf__block_free(f);
}

/* --- the report ----------------------------------------------------------- */

struct group {
    const struct record *first; /* that began */
    size_t count;
};

static bool
is_like(const struct record *a, const struct record *b)
{
    return a->fn == b->fn && strcmp(a->name, b->name) == 0;
}

/* f has not been freed, though nothing but a handle of the user's keeps it. */
static bool
is_left(const cf_future *f)
{
    uint64_t word = cf_load_acquire(&f->word); /* pairs with finish */
    return word >> 32 != 0 && (cf__is_done(word) || !f->executor);
}

/* Counts those that are left, by function and name, in at most GROUPS groups.
 * Returns how many are left. */
static size_t
count_left(struct group *groups)
{
    size_t left = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct record *at = seen.buckets[i]; at; at = at->next) {
            if (!is_left(at->f))
                continue;
            left++;
            size_t g = 0;
            while (g < GROUPS && groups[g].first &&
                   !is_like(groups[g].first, at))
                g++;
            if (g == GROUPS)
                continue;
            if (!groups[g].first || at->number < groups[g].first->number)
                groups[g].first = at;
            groups[g].count++;
        }
    }
    return left;
}

/* What made them, as a text. */
static void
name_group(const struct record *record, char *to, size_t size)
{
    Dl_info info = {NULL, NULL, NULL, NULL};
    void *address;
    char place[PLACE_SIZE];
    memcpy(&address, &record->fn, sizeof address); /* POSIX allows that */
    if (!record->fn) {
        (void)snprintf(to, size, "cf_future_create()");
    } else if (record->name[0]) {
        (void)snprintf(to, size, "task '%s'", record->name);
    } else if (dladdr && dladdr(address, &info) && info.dli_sname) {
        (void)snprintf(to, size, "%s()", info.dli_sname);
    } else {
        cf__place_text(address, place, sizeof place);
        (void)snprintf(to, size, "the function at %s", place);
    }
}

static void
print_group(const struct group *group)
{
    char name[PLACE_SIZE + NAME_SIZE], place[PLACE_SIZE] = "";
    name_group(group->first, name, sizeof name);
    if (group->first->place)
        cf__place_text(group->first->place, place, sizeof place);
    fprintf(stderr,
            "  %zu of %s%s%s\n",
            group->count,
            name,
            !place[0]           ? ""
            : group->count == 1 ? ", from "
                                : ", the first from ",
            place);
}

/* At the end of the program, when executors have been drained. */
static void
report(void)
{
    struct group groups[GROUPS] = {{NULL, 0}};
    (void)cf__cancel_disable(); /* the thread must not end with the lock */
    cf__lock(&seen.lock);
    if (seen.generation == cf__generation) { /* not in a fork's child */
        size_t left = count_left(groups);
        if (left) {
            fprintf(stderr,
                    "libcfutures: CF_DEBUG: futures that cf_future_unref() was "
                    "not called for: %zu\n",
                    left);
        }
        for (int g = 0; g < GROUPS && groups[g].first; g++)
            print_group(&groups[g]);
    }
    cf__unlock(&seen.lock);
}

/* Registered before any other function of the program's end that could be
 * needed, and so called after it. */
__attribute__((constructor)) static void
begin(void)
{
    if (!(cf__observers & CF__OBSERVES_USE))
        return;
    cf__place_begin();
    (void)atexit(report);
}
