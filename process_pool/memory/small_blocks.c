/* SPDX-License-Identifier: MIT */
/* Under the arena's lock, all of it. Slabs and the stacks before them: see
 * small_blocks.h. */
#include "process_pool/memory/small_blocks.h"

#include "lib/base/assert.h"

#include <string.h>

/* of: how many 64-byte units a block has. For a number of units below 1024, to
 * multiply by inverse and drop 16 bits is to divide by it, exactly. */
#define SIZE(of)                                                               \
    {                                                                          \
        (of) * CF__SMALL_UNIT, 1024 / (of), 65536 / (of) + 1                   \
    }

static const struct {
    uint32_t bytes, blocks, inverse;
} sizes[CF__SMALL_SIZES] = {SIZE(1),
                            SIZE(2),
                            SIZE(3),
                            SIZE(4),
                            SIZE(5),
                            SIZE(6),
                            SIZE(7),
                            SIZE(8),
                            SIZE(10),
                            SIZE(12),
                            SIZE(14),
                            SIZE(16),
                            SIZE(20),
                            SIZE(24),
                            SIZE(28),
                            SIZE(32),
                            SIZE(40),
                            SIZE(48),
                            SIZE(56)};

_Static_assert(CF__SLAB_PAGES *CF__PAGE_SIZE == (size_t)1024 * CF__SMALL_UNIT,
               "a slab has 1024 units");
_Static_assert(CF__SLAB_WORDS * 64 >= 1024, "a bit for each block");

/* The index of the smallest size that holds so many bytes. */
static uint32_t
size_index(size_t bytes)
{
    uint32_t rest = (uint32_t)(bytes - 1) / CF__SMALL_UNIT; /* units - 1 */
    if (rest < 4)
        return rest;
    uint32_t log2 = 31 - (uint32_t)__builtin_clz(rest);
    return (log2 - 2) * 4 + (rest >> (log2 - 2));
}

size_t
cf__small_memory_size(uint32_t page_count)
{
    size_t slabs = (size_t)page_count / CF__SLAB_PAGES + 1;
    return sizeof(struct cf__small_ref) * CF__SMALL_SIZES * CF__SMALL_STACK +
           slabs * sizeof(struct cf__slab);
}

void
cf__small_init(struct cf__small *small,
               void *memory,
               struct cf__runs *runs,
               char *base)
{
    small->runs = runs;
    small->base = base;
    small->stacks = memory;
    small->slabs = (struct cf__slab *)(void *)(small->stacks + CF__SMALL_SIZES);
    for (int i = 0; i < CF__SMALL_SIZES; i++) {
        small->sizes[i].slabs = small->sizes[i].spare = CF__NO_SLAB;
        small->sizes[i].count = 0;
    }
}

static void
list_slab(struct cf__small *small, struct cf__small_size *of, uint32_t slab)
{
    small->slabs[slab].next = of->slabs;
    small->slabs[slab].prev = CF__NO_SLAB;
    if (of->slabs != CF__NO_SLAB)
        small->slabs[of->slabs].prev = slab;
    of->slabs = slab;
}

static void
unlist_slab(struct cf__small *small, struct cf__small_size *of, uint32_t slab)
{
    const struct cf__slab *s = &small->slabs[slab];
    if (s->next != CF__NO_SLAB)
        small->slabs[s->next].prev = s->prev;
    if (s->prev != CF__NO_SLAB)
        small->slabs[s->prev].next = s->next;
    else
        of->slabs = s->next;
}

static void
give_slab(struct cf__small *small, uint32_t slab)
{
    cf__runs_give(small->runs, small->slabs[slab].first);
}

/* A new slab, all of it vacant. It is in no list yet. */
static uint32_t
new_slab(struct cf__small *small, uint32_t index)
{
    uint32_t first = cf__runs_take(small->runs, CF__SLAB_PAGES, false);
    if (first == CF__NO_PAGE)
        return CF__NO_SLAB;
    struct cf__page *pages = &small->runs->table[first];
    pages->kind = CF__RUN_SLAB;
    for (int i = 0; i < CF__SLAB_PAGES; i++)
        pages[i].next = first;
    struct cf__slab *s = &small->slabs[first / CF__SLAB_PAGES];
    memset(s, 0, sizeof *s);
    s->first = first;
    s->size_index = (uint16_t)index;
    s->vacant_count = (uint16_t)sizes[index].blocks;
    uint32_t full = sizes[index].blocks / 64, rest = sizes[index].blocks % 64;
    for (uint32_t i = 0; i < full; i++)
        s->words[i].vacant = ~UINT64_C(0);
    if (rest)
        s->words[full].vacant = (UINT64_C(1) << rest) - 1;
    return first / CF__SLAB_PAGES;
}

/* A slab with vacant blocks; it is the first of the list then. */
static uint32_t
vacant_slab(struct cf__small *small, uint32_t index)
{
    struct cf__small_size *of = &small->sizes[index];
    if (of->slabs != CF__NO_SLAB)
        return of->slabs;
    uint32_t slab = of->spare;
    of->spare = CF__NO_SLAB;
    if (slab == CF__NO_SLAB)
        slab = new_slab(small, index);
    if (slab != CF__NO_SLAB)
        list_slab(small, of, slab);
    return slab;
}

/* Fills the empty stack with the blocks of one word, the lowest on top. */
static bool
fill_stack(struct cf__small *small, uint32_t index)
{
    struct cf__small_size *of = &small->sizes[index];
    struct cf__small_ref *stack = small->stacks[index];
    uint32_t slab = vacant_slab(small, index), word = 0;
    if (slab == CF__NO_SLAB)
        return false;
    struct cf__slab *s = &small->slabs[slab];
    while (!s->words[word].vacant)
        word++;
    uint64_t bits = s->words[word].vacant;
    s->words[word].vacant = 0;
    while (bits) {
        uint32_t bit = 63 - (uint32_t)__builtin_clzll(bits);
        bits &= ~(UINT64_C(1) << bit);
        stack[of->count].slab = slab;
        stack[of->count].block = word * 64 + bit;
        of->count++;
    }
    s->vacant_count = (uint16_t)(s->vacant_count - of->count);
    if (s->vacant_count == 0)
        unlist_slab(small, of, slab);
    return true;
}

void *
cf__small_alloc(struct cf__small *small, size_t size)
{
    uint32_t index = size_index(size);
    struct cf__small_size *of = &small->sizes[index];
    if (of->count == 0 && !fill_stack(small, index))
        return NULL;
    struct cf__small_ref ref = small->stacks[index][--of->count];
    struct cf__slab *s = &small->slabs[ref.slab];
    s->words[ref.block / 64].live |= UINT64_C(1) << (ref.block % 64);
    return small->base + ((size_t)s->first << CF__PAGE_SHIFT) +
           (size_t)ref.block * sizes[index].bytes;
}

/* Makes one more block of its slab vacant. */
static void
vacate(struct cf__small *small,
       struct cf__small_size *of,
       struct cf__small_ref ref)
{
    struct cf__slab *s = &small->slabs[ref.slab];
    s->words[ref.block / 64].vacant |= UINT64_C(1) << (ref.block % 64);
    if (s->vacant_count++ == 0)
        list_slab(small, of, ref.slab);
    if (s->vacant_count < sizes[s->size_index].blocks)
        return;
    unlist_slab(small, of, ref.slab);
    if (of->spare == CF__NO_SLAB)
        of->spare = ref.slab;
    else
        give_slab(small, ref.slab);
}

/* Gives the `few` lowest blocks of the stack back to their slabs. */
static void
drain_stack(struct cf__small *small, uint32_t index, uint32_t few)
{
    struct cf__small_size *of = &small->sizes[index];
    struct cf__small_ref *stack = small->stacks[index];
    for (uint32_t i = 0; i < few; i++)
        vacate(small, of, stack[i]);
    of->count -= few;
    memmove(stack, stack + few, of->count * sizeof *stack);
}

/* Finds the live block that begins at p. */
static bool
find(const struct cf__small *small, const char *p, struct cf__small_ref *ref)
{
    size_t offset = (size_t)(p - small->base);
    uint32_t page = (uint32_t)(offset >> CF__PAGE_SHIFT);
    /* If the page is in no slab, first may be anything; but then no slab begins
     * that near before it. */
    uint32_t first = small->runs->table[page].next;
    if (first > page || page - first >= CF__SLAB_PAGES ||
        cf__run_kind(small->runs, first) != CF__RUN_SLAB)
        return false;
    ref->slab = first / CF__SLAB_PAGES;
    const struct cf__slab *s = &small->slabs[ref->slab];
    uint32_t rest = (uint32_t)(offset - ((size_t)first << CF__PAGE_SHIFT));
    uint32_t units = rest / CF__SMALL_UNIT;
    ref->block = units * sizes[s->size_index].inverse >> 16;
    return ref->block * sizes[s->size_index].bytes == rest &&
           (s->words[ref->block / 64].live >> (ref->block % 64) & 1);
}

size_t
cf__small_size(const struct cf__small *small, const char *p)
{
    struct cf__small_ref ref;
    if (!find(small, p, &ref))
        return 0;
    return sizes[small->slabs[ref.slab].size_index].bytes;
}

size_t
cf__small_free(struct cf__small *small, const char *p)
{
    struct cf__small_ref ref;
    if (!find(small, p, &ref))
        return 0;
    struct cf__slab *s = &small->slabs[ref.slab];
    struct cf__small_size *of = &small->sizes[s->size_index];
    s->words[ref.block / 64].live &= ~(UINT64_C(1) << (ref.block % 64));
    if (of->count == CF__SMALL_STACK)
        drain_stack(small, s->size_index, CF__SMALL_STACK / 2);
    small->stacks[s->size_index][of->count++] = ref;
    return sizes[s->size_index].bytes;
}

void
cf__small_give_slabs(struct cf__small *small)
{
    for (uint32_t i = 0; i < CF__SMALL_SIZES; i++) {
        struct cf__small_size *of = &small->sizes[i];
        drain_stack(small, i, of->count);
        if (of->spare != CF__NO_SLAB)
            give_slab(small, of->spare);
        of->spare = CF__NO_SLAB;
    }
}

#ifdef CF_ASSERTIONS
enum { CHECK_STEPS = 4096 /* runs that a check looks at */ };

/* Returns how many of the slab's blocks are neither live nor vacant. */
static uint32_t
check_words(const struct cf__slab *s)
{
    uint32_t blocks = sizes[s->size_index].blocks, vacant = 0, neither = 0;
    for (uint32_t i = 0; i < CF__SLAB_WORDS; i++) {
        uint64_t live = s->words[i].live, free = s->words[i].vacant;
        uint32_t begin = i * 64, has = blocks > begin ? blocks - begin : 0;
        uint64_t valid = has >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << has) - 1;
        cf__assert((live & free) == 0 && ((live | free) & ~valid) == 0);
        vacant += (uint32_t)__builtin_popcountll(free);
        neither += (uint32_t)__builtin_popcountll(valid & ~(live | free));
    }
    cf__assert(s->vacant_count == vacant);
    return neither;
}

/* The slab is its size's spare, in the list of its size or in no list. */
static void
check_place(const struct cf__small *small, uint32_t slab)
{
    const struct cf__slab *s = &small->slabs[slab];
    const struct cf__small_size *of = &small->sizes[s->size_index];
    bool all = s->vacant_count == sizes[s->size_index].blocks;
    cf__assert(all == (of->spare == slab));
    if (all || s->vacant_count == 0)
        return;
    cf__assert(s->prev == CF__NO_SLAB ? of->slabs == slab
                                      : small->slabs[s->prev].next == slab);
    cf__assert(s->next == CF__NO_SLAB || small->slabs[s->next].prev == slab);
}

/* Returns how many of the slab's blocks are neither live nor vacant. */
static uint32_t
check_slab(const struct cf__small *small, uint32_t first)
{
    const struct cf__slab *s = &small->slabs[first / CF__SLAB_PAGES];
    cf__assert(s->first == first && s->size_index < CF__SMALL_SIZES);
    cf__assert(small->runs->table[first].pages == CF__SLAB_PAGES);
    for (uint32_t i = 0; i < CF__SLAB_PAGES; i++)
        cf__assert(small->runs->table[first + i].next == first);
    check_place(small, first / CF__SLAB_PAGES);
    return check_words(s);
}

static void
check_stack(const struct cf__small *small, uint32_t index)
{
    cf__assert(small->sizes[index].count <= CF__SMALL_STACK);
    for (uint32_t i = 0; i < small->sizes[index].count; i++) {
        const struct cf__small_ref *ref = &small->stacks[index][i];
        const struct cf__slab *s = &small->slabs[ref->slab];
        uint64_t used =
            s->words[ref->block / 64].live | s->words[ref->block / 64].vacant;
        cf__assert(cf__run_kind(small->runs, s->first) == CF__RUN_SLAB);
        cf__assert(s->size_index == index && ref->block < sizes[index].blocks);
        cf__assert(!(used >> (ref->block % 64) & 1));
    }
}
#endif

void
cf__small_check(const struct cf__small *small)
{
#ifdef CF_ASSERTIONS
    uint32_t on_stacks[CF__SMALL_SIZES] = {0};
    const struct cf__runs *runs = small->runs;
    uint32_t at = 0;
    for (int i = 0; at < runs->count && i < CHECK_STEPS; i++) {
        if (cf__run_kind(runs, at) == CF__RUN_SLAB) {
            const struct cf__slab *s = &small->slabs[at / CF__SLAB_PAGES];
            on_stacks[s->size_index % CF__SMALL_SIZES] += check_slab(small, at);
        }
        at += runs->table[at].pages;
    }
    for (uint32_t i = 0; i < CF__SMALL_SIZES; i++) {
        check_stack(small, i);
        /* So no block is there twice, and none is lost. */
        cf__assert(at < runs->count || on_stacks[i] == small->sizes[i].count);
    }
#else
    (void)small;
#endif
}
