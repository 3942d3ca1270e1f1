/* SPDX-License-Identifier: MIT */
/* Reserving, protecting and giving back what processes share: shared.h. */
#include "process_pool/memory/shared.h"

#include "lib/base/pages.h"
#include "process_pool/memory/room.h"

#include <stdlib.h>
#include <sys/mman.h>

enum {
    SMALLEST = 64 << 10, /* bytes: with less it is not worth trying */
    NOTES = 64 /* an arena's notes take less than one part of so many */
};

/* Lays out the reservation, with size bytes each for outboxes, parcels and
 * commons. */
static void
lay_out(struct cf__shared *shared, size_t size)
{
    size_t lanes = (size_t)shared->lanes;
    shared->lane_in_stride = cf__whole_pages(sizeof(struct cf__lane_in));
    shared->lane_out_stride = cf__whole_pages(sizeof(struct cf__lane_out));
    shared->size = cf__whole_pages(sizeof(struct cf__board)) +
                   lanes * shared->lane_in_stride +
                   cf__whole_pages(sizeof(struct cf__bell)) +
                   lanes * shared->lane_out_stride + (lanes + 2) * size;
    shared->outbox_size = size;
}

/* The same; NULL: none. */
static void *
map(size_t size, int how)
{
    void *base = cf__room_take(size, how);
    if (base) /* a dump of all that would take minutes */
        (void)madvise(base, size, MADV_DONTDUMP);
    return base;
}

/* How many bytes, wanted at most, each outbox, the parcels, the commons and the
 * vault can have, if together they must not take more than room. */
static size_t
fit(int lanes, size_t wanted, const struct cf__room *room)
{
    /* one more for the vault, one for the notes */
    size_t each = room->all / ((size_t)lanes + 4);
    size_t noted = room->private / 4 > SIZE_MAX / NOTES
                       ? SIZE_MAX
                       : room->private / 4 * NOTES;
    each = each < noted ? each : noted;
    each = each > SMALLEST ? each : SMALLEST;
    return wanted < each ? wanted : each;
}

static bool
reserve(struct cf__shared *shared, size_t *size)
{
    const struct cf__room room = cf__room_for_pool();
    *size = fit(shared->lanes, *size, &room);
    shared->vault_size = room.private / 2;
    for (;; *size /= 2) {
        *size = cf__whole_pages(*size);
        lay_out(shared, *size);
        shared->base = map(shared->size, MAP_SHARED);
        if (shared->base)
            return true;
        if (*size < SMALLEST)
            return false;
    }
}

static bool
init_arenas(struct cf__shared *shared, size_t size)
{
    unsigned char *commons = shared->base + shared->size - size;
    unsigned char *bell = commons - cf__whole_pages(sizeof(struct cf__bell));
    unsigned char *parcels = bell - size;
    shared->bell = (struct cf__bell *)(void *)bell;
    if (cf__arena_init(&shared->parcels, parcels, size) != CF_OK)
        return false;
    if (cf__arena_init(&shared->commons, commons, size) == CF_OK)
        return true;
    cf__arena_fini(&shared->parcels);
    return false;
}

struct cf__shared *
cf__shared_new(int lanes, size_t size)
{
    struct cf__shared *shared = calloc(1, sizeof *shared);
    if (!shared)
        return NULL;
    shared->lanes = lanes;
    shared->generation = cf__generation;
    if (!reserve(shared, &size)) {
        free(shared);
        return NULL;
    }
    shared->board = (struct cf__board *)(void *)shared->base;
    shared->lanes_in = shared->base + cf__whole_pages(sizeof(struct cf__board));
    shared->lanes_out =
        shared->lanes_in + (size_t)lanes * shared->lane_in_stride;
    shared->outboxes =
        shared->lanes_out + (size_t)lanes * shared->lane_out_stride;
    cf_store_relaxed(&shared->users, 1); /* no other thread knows it yet */
    if (!init_arenas(shared, size)) {
        cf__shared_unmap(shared);
        free(shared);
        return NULL;
    }
    return shared;
}

void
cf__shared_keep(const struct cf__shared *shared)
{
    (void)madvise(shared->base, shared->size, MADV_DONTFORK);
}

cf_err
cf__shared_open_vault(struct cf__shared *shared)
{
    size_t size = shared->parcels.size;
    if (size > shared->vault_size)
        size = shared->vault_size;
    for (size = cf__whole_pages(size);; size = cf__whole_pages(size / 2)) {
        void *base = map(size, MAP_PRIVATE);
        if (base && cf__arena_init(&shared->vault, base, size) == CF_OK) {
            cf__arena_set_private(&shared->vault);
            return CF_OK;
        }
        if (base)
            (void)munmap(base, size);
        if (size < SMALLEST)
            return CF_ENOMEM;
    }
}

void
cf__shared_release(struct cf__shared *shared)
{
    /* pairs with the other users' release: their use of it is over */
    if (cf_fetch_sub_acq_rel(&shared->users, 1) != 1)
        return;
    /* a fork's child does not have it */
    if (shared->generation == cf__generation)
        cf__shared_unmap(shared);
    cf__arena_fini(&shared->parcels);
    cf__arena_fini(&shared->commons);
    if (shared->vault.base) {
        (void)munmap(shared->vault.base, shared->vault.size);
        cf__arena_fini(&shared->vault);
    }
    free(shared);
}

const unsigned char *
cf__shared_view_lanes_out(const struct cf__shared *shared)
{
    size_t size = (size_t)shared->lanes * shared->lane_out_stride;
    void *view = mremap(shared->lanes_out, 0, size, MREMAP_MAYMOVE);
    if (view == MAP_FAILED)
        return NULL;
    if (mprotect(view, size, PROT_READ) == 0 &&
        madvise(view, size, MADV_DONTFORK) == 0)
        return view;
    (void)munmap(view, size);
    return NULL;
}

bool
cf__shared_restrict(const struct cf__shared *shared)
{
    size_t in = (size_t)(shared->lanes_out - shared->base);
    size_t out =
        (size_t)((unsigned char *)shared->parcels.base - shared->lanes_out);
    return mprotect(shared->base, in, PROT_READ) == 0 &&
           mprotect(shared->lanes_out, out, PROT_NONE) == 0 &&
           mprotect(shared->parcels.base, shared->parcels.size, PROT_READ) == 0;
}

bool
cf__shared_enter_lane(const struct cf__shared *shared, int lane)
{
    const int both = PROT_READ | PROT_WRITE;
    return mprotect(cf__shared_lane_out(shared, lane),
                    shared->lane_out_stride,
                    both) == 0 &&
           mprotect(
               cf__shared_outbox(shared, lane), shared->outbox_size, both) == 0;
}

void
cf__shared_unmap(const struct cf__shared *shared)
{
    (void)munmap(shared->base, shared->size);
}
