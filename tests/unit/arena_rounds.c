/* SPDX-License-Identifier: MIT */
/* Random rounds on an arena: see arena_rounds.h. */
#include "tests/unit/arena_rounds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { BLOCKS = 64, THREADS_MAX = 8, SIZE_MOST = 64 << 10 };

uint64_t
random_next(struct random *r)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return r->state;
}

size_t
random_below(struct random *r, size_t n)
{
    return (size_t)(random_next(r) >> 11) % n;
}

size_t
random_size(struct random *r, size_t most)
{
    size_t below = (size_t)64 << random_below(r, 24);
    return random_below(r, below < most ? below : most) + 1;
}

uint64_t
random_seed(void)
{
    const char *text = getenv("CF_TEST_SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seed = (uint64_t)now.tv_sec * 1000000007 + (uint64_t)now.tv_nsec;
    if (text)
        seed = strtoull(text, NULL, 0);
    seed += seed == 0;
    fprintf(stderr, "CF_TEST_SEED=%" PRIu64 "\n", seed);
    return seed;
}

char *
range_map(size_t size)
{
    void *p = mmap(NULL,
                   size,
                   PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1,
                   0);
    return p == MAP_FAILED ? NULL : p;
}

bool
bytes_are(const void *p, size_t size, unsigned char value)
{
    const unsigned char *bytes = p;
    return size == 0 ||
           (bytes[0] == value && memcmp(bytes, bytes + 1, size - 1) == 0);
}

struct member {
    struct cf__arena *arena;
    int rounds;
    struct random random;
    unsigned char fill;
    struct {
        char *p;
        size_t size;
    } blocks[BLOCKS];
};

/* Frees the block and empties its place. */
static const char *
free_block(struct member *m, size_t at)
{
    char *p = m->blocks[at].p;
    size_t size = m->blocks[at].size;
    m->blocks[at].p = NULL;
    if (!p)
        return NULL;
    if (!bytes_are(p, size, m->fill))
        return "a block has changed";
    size_t has = cf__arena_size(m->arena, p);
    if (has < size)
        return "a block has become shorter";
    return cf__arena_free(m->arena, p) == has ? NULL : "two sizes of a block";
}

/* Into an empty place; with no room it stays empty. */
static const char *
alloc_block(struct member *m, size_t at)
{
    size_t size = random_size(&m->random, SIZE_MOST);
    bool zeroed = random_below(&m->random, 4) == 0;
    char *p = zeroed ? cf__arena_alloc_zeroed(m->arena, size)
                     : cf__arena_alloc(m->arena, size);
    if (!p)
        return NULL;
    if (!cf__arena_contains(m->arena, p, size))
        return "a block is outside of the range";
    if (zeroed && !bytes_are(p, size, 0))
        return "a zeroed block is not zero";
    memset(p, m->fill, size);
    m->blocks[at].p = p;
    m->blocks[at].size = size;
    return NULL;
}

static void *
member_main(void *arg)
{
    struct member *m = arg;
    const char *wrong = NULL;
    for (int i = 0; i < m->rounds && !wrong; i++) {
        size_t at = random_below(&m->random, BLOCKS);
        wrong = m->blocks[at].p ? free_block(m, at) : alloc_block(m, at);
        if (random_below(&m->random, 512) == 0)
            (void)cf__arena_trim(m->arena);
    }
    for (size_t at = 0; at < BLOCKS && !wrong; at++)
        wrong = free_block(m, at);
    return (void *)(uintptr_t)wrong;
}

const char *
arena_rounds(struct cf__arena *a, unsigned threads, int rounds, uint64_t seed)
{
    static struct member members[THREADS_MAX];
    pthread_t ids[THREADS_MAX];
    unsigned started = 0;
    void *wrong = NULL;
    memset(members, 0, sizeof members);
    for (; started < threads && started < THREADS_MAX; started++) {
        struct member *m = &members[started];
        m->arena = a;
        m->rounds = rounds;
        m->random.state = seed * (2 * (uint64_t)started + 1);
        m->fill = (unsigned char)(started + 1);
        if (pthread_create(&ids[started], NULL, member_main, m) != 0)
            break;
    }
    for (unsigned i = 0; i < started; i++) {
        void *result;
        pthread_join(ids[i], &result);
        wrong = result ? result : wrong;
    }
    return started < threads ? "too few threads" : wrong;
}
