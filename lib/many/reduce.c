/* SPDX-License-Identifier: MIT */
/*
 * cf_parallel_reduce(): a loop whose iterations are folded, piece by piece, and
 * whose pieces are combined in a fixed tree. README.md, "Reductions". No locks.
 */
#include "lib/base/einval.h"
#include "lib/base/observer.h"
#include "lib/base/size.h"
#include "lib/executor/call.h"
#include "lib/many/joint_loop.h"
#include "lib/many/loop.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    PIECES_MAX = 512,         /* of a loop: so its partial results are few */
    PIECES_MIN = 8,           /* if one piece's partial is that large */
    BYTES_MAX = 64 << 20,     /* of all partials, with more than PIECES_MIN */
    BYTES_PER_ITERATION = 8,  /* of all partials, with more than PIECES_FEW */
    PIECES_FEW = 64,          /* see BYTES_PER_ITERATION */
    SMALL = 4 * CF_CACHE_LINE /* bytes: a partial that the stack has */
};

/* The loop's data, in memory that all workers share. */
struct reduction {
    cf_fold_fn *fn;
    cf_combine_fn *combine;
    void *data;
    size_t size; /* bytes of a partial result */
    size_t begin, end;
    size_t piece;          /* iterations of a piece; the last one has fewer */
    size_t pieces;         /* how many */
    unsigned char *values; /* one partial per piece, and the identity */
    size_t stride;         /* from one of these to the next */
    /* Atomic. Of the two halves that meet at a piece, one is complete. */
    atomic_bool met[];
};

/* What the caller keeps of it. */
struct reduce {
    struct cf__loop loop;
    const unsigned char *value; /* the first piece's: in the end, the whole's */
    size_t size;
    void *result;
};

static unsigned char *
partial_of(const struct reduction *r, size_t piece)
{
    return r->values + piece * r->stride;
}

/* Two halves meet at a piece. false: this one is the first to be complete, and
 * leaves its partial to the other. */
static bool
meet(struct reduction *r, size_t right)
{
    cf__observer_release(&r->met[right]);
    bool both = cf_exchange_acq_rel(&r->met[right], true);
    if (both)
        cf__observer_acquire(&r->met[right]);
    return both;
}

/*
 * A node of the tree is complete: length pieces, or as many as there are, from
 * piece on. Goes up the tree as long as the other half is complete, too. A half
 * that begins at a multiple of twice its length is a left one; the right one
 * begins right behind it, and what they share is met[] of that place.
 */
static void
climb(struct reduction *r, size_t piece, size_t length)
{
    for (; length < r->pieces; length *= 2) {
        size_t left = piece & ~length, right = left + length;
        if (right >= r->pieces) /* the tree has no right half here */
            continue;
        if (!meet(r, right))
            return;
        piece = left;
        r->combine(partial_of(r, left), partial_of(r, right), r->data);
    }
}

/* A piece is complete, and this thread has folded all from begun to this one,
 * in order. Goes up the tree as long as the node ends here and is wholly in
 * there: no other thread has a part in it. */
static void
combine_behind(struct reduction *r, size_t piece, size_t begun)
{
    for (size_t length = 1; length < r->pieces; length *= 2) {
        size_t left = piece & ~length, right = left + length;
        if (right >= r->pieces) /* as above */
            continue;
        if (piece == left || left < begun)
            return;
        piece = left;
        r->combine(partial_of(r, left), partial_of(r, right), r->data);
    }
}

/* A worker process may fork in the task, and its child writes to shared memory,
 * too: until the child has ended, the partial is in memory of the process. If
 * there is none, both write to the shared one. */
static int
fold_in_copy(cf_call *call,
             size_t begin,
             size_t end,
             const struct reduction *r,
             void *partial)
{
    _Alignas(CF_CACHE_LINE) unsigned char small[SMALL];
    void *heap = r->size > sizeof small ? malloc(r->size) : NULL;
    void *copy = r->size <= sizeof small ? small : heap;
    int rc;
    if (copy)
        memcpy(copy, partial, r->size);
    pthread_cleanup_push(free, heap);
    rc = r->fn(call, begin, end, copy ? copy : partial, r->data);
    cf__call_returned(call, rc);
    if (copy)
        memcpy(partial, copy, r->size);
    pthread_cleanup_pop(1);
    return rc;
}

/* The body of the loop: all of a piece, or grain iterations of it. */
static int
fold(cf_call *call, size_t begin, size_t end, void *data)
{
    struct reduction *r = data;
    size_t piece = (begin - r->begin) / r->piece;
    size_t first = r->begin + piece * r->piece;
    unsigned char *partial = partial_of(r, piece);
    if (begin == first)
        memcpy(partial, partial_of(r, r->pieces), r->size);
    int rc = call->home ? fold_in_copy(call, begin, end, r, partial)
                        : r->fn(call, begin, end, partial, r->data);
    if (!rc && (end == r->end || end - first == r->piece))
        climb(r, piece, 1);
    return rc;
}

/* The loop as one that its caller takes part in. Its units are pieces. */
struct joint {
    struct cf__joint_loop loop;
    struct reduction *r;
    size_t grain;
};

static int
fold_units(cf_call *call,
           struct cf__joint_loop *loop,
           size_t begun,
           struct cf__units u)
{
    const struct joint *joint = (const struct joint *)loop;
    struct reduction *r = joint->r;
    for (size_t piece = u.first; piece < u.end; piece++) {
        unsigned char *partial = partial_of(r, piece);
        size_t at = r->begin + piece * r->piece;
        size_t last = piece + 1 < r->pieces ? at + r->piece : r->end;
        memcpy(partial, partial_of(r, r->pieces), r->size);
        while (at < last) {
            size_t next = last - at > joint->grain ? at + joint->grain : last;
            if (cf__joint_loop_stops(loop, call))
                return CF__JOINT_STOPPED;
            int rc = cf__loop_call_returned(
                call, r->fn(call, at, next, partial, r->data));
            if (rc)
                return rc;
            at = next;
        }
        combine_behind(r, piece, begun);
    }
    return 0;
}

/* The largest nodes that are wholly in u are complete. */
static void
climb_from_all(struct cf__joint_loop *loop, struct cf__units u)
{
    struct reduction *r = ((struct joint *)loop)->r;
    for (size_t piece = u.first, length; piece < u.end; piece += length) {
        length = 1;
        while (piece % (2 * length) == 0 && length < r->pieces &&
               (piece + 2 * length <= u.end || u.end == r->pieces))
            length *= 2;
        climb(r, piece, length);
    }
}

static void
drop_joint(struct cf__joint_loop *loop)
{
    cf_shared_free(loop->ex, ((struct joint *)loop)->r);
}

/* How many pieces a loop of count iterations has at most. It depends on the
 * arguments only: so the same numbers meet, in the same order, whatever runs
 * them. */
static size_t
most_pieces(size_t count, size_t stride)
{
    size_t most = BYTES_MAX / stride;
    size_t paid = count / (stride / BYTES_PER_ITERATION);
    if (most > PIECES_FEW && most > paid)
        most = paid > PIECES_FEW ? paid : PIECES_FEW;
    if (most > PIECES_MAX)
        return PIECES_MAX;
    return most < PIECES_MIN ? PIECES_MIN : most;
}

static void
take_result(const struct cf__loop *loop)
{
    const struct reduce *reduce = (const struct reduce *)loop;
    memcpy(reduce->result, reduce->value, reduce->size);
}

/* Memory for the loop's data. Only the first head bytes are 0: in plain memory,
 * partials stay in the caches of those that had them in the last loop. */
static void *
allocate(cf_executor *ex, size_t head, size_t bytes)
{
    if (ex->ops->shared_alloc)
        return cf_shared_alloc(ex, bytes);
    void *p = bytes > CF__SIZE_MAX ? NULL : malloc(bytes);
    if (p)
        memset(p, 0, head);
    return p;
}

/* Makes the loop's data. */
static cf_err
prepare(struct reduce *reduce,
        const struct reduction *all,
        const void *identity)
{
    struct cf__loop *loop = &reduce->loop;
    struct reduction r = *all;
    size_t count = loop->end - loop->begin, bytes;
    if (r.size > CF__SIZE_MAX - CF_CACHE_LINE)
        return CF_ETOOBIG;
    r.stride = (r.size + CF_CACHE_LINE - 1) / CF_CACHE_LINE * CF_CACHE_LINE;
    /* A piece is some calls of fn, all but the last one of grain iterations. */
    size_t grain = loop->grain ? loop->grain : 1;
    size_t grains = (count - 1) / grain + 1;
    r.piece = ((grains - 1) / most_pieces(count, r.stride) + 1) * grain;
    r.pieces = (count - 1) / r.piece + 1;
    size_t head = sizeof r + r.pieces + CF_CACHE_LINE;
    if (!cf__size_add(head, r.pieces + 1, r.stride, &bytes))
        return CF_ETOOBIG;
    struct reduction *shared = allocate(loop->ex, head, bytes);
    if (!shared)
        return CF_ENOMEM;
    unsigned char *values = (unsigned char *)shared + head;
    r.values = values - (uintptr_t)values % CF_CACHE_LINE;
    *shared = r; /* no place is met yet */
    memcpy(partial_of(&r, r.pieces), identity, r.size);
    loop->data = shared;
    loop->unit = r.piece;
    if (!loop->grain)
        loop->grain = r.piece;
    reduce->value = r.values;
    return CF_OK;
}

static cf_err
run_jointly(struct reduce *reduce)
{
    struct cf__loop *loop = &reduce->loop;
    struct joint joint = {.r = loop->data, .grain = loop->grain};
    joint.loop.ex = loop->ex;
    joint.loop.units = joint.r->pieces;
    joint.loop.run = fold_units;
    joint.loop.ran = climb_from_all;
    joint.loop.drop = drop_joint;
    cf_err err = cf__joint_loop_run(&joint.loop);
    if (!err)
        take_result(loop);
    cf_shared_free(loop->ex, joint.r);
    return err;
}

cf_err
cf_parallel_reduce(cf_executor *ex,
                   size_t begin,
                   size_t end,
                   size_t grain,
                   cf_fold_fn *fn,
                   cf_combine_fn *combine,
                   const void *identity,
                   size_t size,
                   void *data,
                   void *result)
{
    const char *why = !ex         ? "ex is NULL"
                      : !fn       ? "fn is NULL"
                      : !combine  ? "combine is NULL"
                      : !identity ? "identity is NULL"
                      : !result   ? "result is NULL"
                      : !size     ? "size is 0"
                                  : NULL;
    if (why)
        return cf__einval(__func__, why);
    if (begin >= end) {
        memmove(result, identity, size);
        return CF_OK;
    }
    struct reduction all = {.fn = fn,
                            .combine = combine,
                            .data = data,
                            .size = size,
                            .begin = begin,
                            .end = end};
    struct reduce reduce = {.loop = {.ex = ex,
                                     .begin = begin,
                                     .end = end,
                                     .grain = grain,
                                     .fn = fold,
                                     .owns_data = true,
                                     .succeeded = take_result,
                                     .deadline_ns = CF__NEVER},
                            .size = size,
                            .result = result};
    cf_err err = prepare(&reduce, &all, identity);
    if (err)
        return err;
    return cf__joint_loop_suits(ex) ? run_jointly(&reduce)
                                    : cf__loop_run(&reduce.loop, NULL);
}
