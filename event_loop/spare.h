/* SPDX-License-Identifier: MIT */
/*
 * Blocks of memory into which a loop's streams read. A stream has one only
 * while it holds bytes that no task has read: an idle connection has none. The
 * loop keeps a few, so that the next read finds one in the cache. The loop's
 * thread's.
 */
#ifndef CF_EVENT_LOOP_SPARE_H
#define CF_EVENT_LOOP_SPARE_H

/* The size of a block, in bytes: so much a stream reads ahead at most. */
enum { CF__SPARE_SIZE = 16384 };

struct cf__spares {
    void *first; /* each one begins with a pointer to the next */
    unsigned count;
};

/* CF__SPARE_SIZE bytes, as malloc's; NULL: no memory. */
void *cf__spares_take(struct cf__spares *spares);

void cf__spares_give(struct cf__spares *spares, void *block);

void cf__spares_fini(struct cf__spares *spares);

#endif
