/* SPDX-License-Identifier: MIT */
/*
 * Tasks that submit tasks: batches in one worker's deque that the others steal,
 * trees of random shape, and children cancelled while they are popped and
 * stolen. Attacks thread_pool/deque.h (pop against steal of the last entry,
 * growing under thieves, which thread owns the entry's handle) and
 * thread_pool/help.c and watch.c (helping with descendants, watchers).
 *
 * Every child runs once, or was cancelled; every sum is right.
 */
#include "common.h"

#include <stdlib.h>
#include <string.h>

enum { CHILDREN_MAX = 300, DEPTH_MAX = 7, FANOUT_MAX = 4 };

static struct totals {
    atomic_uint_fast64_t ran, canceled, nodes;
} totals;

/* --- batches and cancelled children -------------------------------------- */

struct family {
    uint64_t stream;
    unsigned count;
    bool cancel;
    atomic_int ran[CHILDREN_MAX];
};

struct child {
    struct family *family;
    unsigned index;
    unsigned delay_ns;
};

static int
run_child(cf_call *call, const void *arg, size_t arg_size)
{
    const struct child *child = arg;
    CHECK_EQ(arg_size, sizeof *child);
    CHECK_EQ(atomic_fetch_add(&child->family->ran[child->index], 1), 0);
    struct random r = random_stream(child->family->stream + child->index);
    random_delay(&r, child->delay_ns);
    return (int)cf_return(call, &child->index, sizeof child->index);
}

static void
check_child(struct family *family, cf_future *f, unsigned index)
{
    cf_bytes bytes;
    unsigned result;
    cf_err err = cf_future_result(f, CF_FOREVER, &bytes);
    if (err == CF_OK) {
        CHECK_EQ(bytes.size, sizeof result);
        memcpy(&result, bytes.data, sizeof result);
        CHECK_EQ(result, index);
        CHECK_EQ(atomic_load(&family->ran[index]), 1);
        atomic_fetch_add(&totals.ran, 1);
    } else {
        CHECK_EQ(err, CF_ECANCELED);
        CHECK(family->cancel);
        CHECK_EQ(atomic_load(&family->ran[index]), 0);
        atomic_fetch_add(&totals.canceled, 1);
    }
    cf_future_unref(f);
}

/* Submits the family from inside, and waits for it in some order. */
static int
run_parent(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    struct family *family = (struct family *)(uintptr_t)arg;
    struct random r = random_stream(family->stream);
    struct child children[CHILDREN_MAX];
    cf_future *futures[CHILDREN_MAX];
    unsigned delay_ns = random_percent(&r, 50) ? 0 : 2000;
    for (unsigned i = 0; i < family->count; i++)
        children[i] = (struct child){family, i, delay_ns};
    cf_executor *ex = cf_call_executor(call);
    for (unsigned i = 0, n; i < family->count; i += n) {
        n = 1 + random_below(&r, family->count - i);
        CHECK_EQ(cf_submit_many(ex,
                                run_child,
                                &children[i],
                                sizeof children[0],
                                n,
                                &futures[i]),
                 CF_OK);
    }
    /* The newest first is what pop takes, the oldest what is stolen. */
    bool newest_first = random_percent(&r, 50);
    for (unsigned i = 0; i < family->count; i++) {
        unsigned at = newest_first ? family->count - 1 - i : i;
        if (family->cancel && random_percent(&r, 50))
            (void)cf_future_cancel(futures[at]);
        else if (random_percent(&r, 20))
            (void)cf_future_wait(futures[at], 0);
    }
    for (unsigned i = 0; i < family->count; i++) {
        unsigned at = newest_first ? family->count - 1 - i : i;
        check_child(family, futures[at], at);
    }
    return 0;
}

static void
families(cf_executor *ex, struct random *r, bool cancel)
{
    enum { PARENTS = 4 };
    struct family *family = calloc(PARENTS, sizeof *family);
    cf_future *parents[PARENTS];
    CHECK(family);
    for (unsigned i = 0; i < PARENTS; i++) {
        family[i].stream = random_next(r);
        family[i].cancel = cancel;
        family[i].count = random_percent(r, 80)
                              ? 1 + random_below(r, 5)
                              : 1 + random_below(r, CHILDREN_MAX);
        CHECK_EQ(cf_submit(ex, run_parent, &family[i], 0, &parents[i]), CF_OK);
    }
    for (unsigned i = 0; i < PARENTS; i++) {
        CHECK_EQ(cf_future_result(parents[i], CF_FOREVER, NULL), CF_OK);
        cf_future_unref(parents[i]);
    }
    free(family);
}

/* --- trees --------------------------------------------------------------- */

struct node {
    uint64_t stream;
    unsigned depth;
};

/* What the node and its children are, the same for every walk. */
static unsigned
grow(const struct node *node, uint64_t *value, struct node *children)
{
    struct random r = random_stream(node->stream);
    *value = random_next(&r);
    unsigned count = node->depth ? random_below(&r, FANOUT_MAX + 1) : 0;
    for (unsigned i = 0; i < count; i++)
        children[i] = (struct node){random_next(&r), node->depth - 1};
    return count;
}

static uint64_t
sum_alone(const struct node *node)
{
    struct node children[FANOUT_MAX];
    uint64_t sum;
    unsigned count = grow(node, &sum, children);
    for (unsigned i = 0; i < count; i++)
        sum += sum_alone(&children[i]);
    atomic_fetch_add(&totals.nodes, 1);
    return sum;
}

static int
sum_tree(cf_call *call, const void *arg, size_t arg_size)
{
    const struct node *node = arg;
    struct node children[FANOUT_MAX];
    cf_future *futures[FANOUT_MAX];
    uint64_t sum, part;
    CHECK_EQ(arg_size, sizeof *node);
    unsigned count = grow(node, &sum, children);
    for (unsigned i = 0; i < count; i++)
        CHECK_EQ(cf_submit(cf_call_executor(call),
                           sum_tree,
                           &children[i],
                           sizeof children[i],
                           &futures[i]),
                 CF_OK);
    bool newest_first = node->stream % 3 != 0;
    for (unsigned i = 0; i < count; i++) {
        cf_future *f = futures[newest_first ? count - 1 - i : i];
        cf_bytes bytes;
        CHECK_EQ(cf_future_result(f, CF_FOREVER, &bytes), CF_OK);
        CHECK_EQ(bytes.size, sizeof part);
        memcpy(&part, bytes.data, sizeof part);
        sum += part;
        cf_future_unref(f);
    }
    return (int)cf_return(call, &sum, sizeof sum);
}

static void
tree(cf_executor *ex, struct random *r)
{
    struct node root = {random_next(r), 1 + random_below(r, DEPTH_MAX)};
    cf_bytes bytes;
    cf_future *f;
    uint64_t sum;
    CHECK_EQ(cf_submit(ex, sum_tree, &root, sizeof root, &f), CF_OK);
    uint64_t expected = sum_alone(&root);
    CHECK_EQ(cf_future_result(f, CF_FOREVER, &bytes), CF_OK);
    memcpy(&sum, bytes.data, sizeof sum);
    CHECK_EQ(sum, expected);
    cf_future_unref(f);
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    for (uint64_t round = 1; stress_goes_on(); round++) {
        struct random r = random_stream(round);
        cf_executor *ex = stress_random_pool(&r);
        for (int i = 0; i < 50; i++) {
            families(ex, &r, false);
            families(ex, &r, true);
            tree(ex, &r);
            stress_alive();
        }
        stress_pool_destroy(ex);
    }
    return stress_end("%llu children ran, %llu were cancelled, %llu nodes",
                      (unsigned long long)totals.ran,
                      (unsigned long long)totals.canceled,
                      (unsigned long long)totals.nodes);
}
