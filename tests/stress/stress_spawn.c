/* SPDX-License-Identifier: MIT */
/*
 * Random trees of jobs on small pools, several at a time. At each node, parts
 * are spawned, submitted or called, and awaited in a random order; some fail;
 * some wait for a task while jobs of theirs are not joined. Some trees are
 * interrupted; some pools are shut down or terminated while their trees grow.
 * Each job runs once, the sums are those of a walk by one thread, and no wait
 * inside of a tree is refused as hopeless. Some jobs wait for their own task:
 * that wait is refused, and the join is not.
 */
#include "tests/stress/common.h"

#include <sched.h>
#include <string.h>

enum { DEPTH_MAX = 7, FANOUT_MAX = 5, TREES = 6 };

static struct {
    _Atomic unsigned long long nodes, failed, refused, jobs;
} totals;

/* One tree, from its root's submit to its result. */
struct tree {
    atomic_bool ready; /* root is set */
    cf_future *root;
    unsigned percent_submitted, percent_failing;
    bool waits_for_root; /* some leaves do */
};

struct part {
    struct tree *tree;
    uint64_t stream;
    unsigned depth;
    /* How the node's function comes to it, and what it leaves. */
    enum { CALLED, SPAWNED, SUBMITTED } way;
    atomic_int runs;
    int rc;
    uint64_t sum;
    cf_job job;
    cf_future *f;
    cf_future *elder; /* a job waits for it: a part that was submitted before,
                         by the same node. NULL: none */
};

/* What a node and its parts are, the same for every walk. */
static unsigned
grow(struct part *node, struct random *r, struct part *parts)
{
    *r = random_stream(node->stream);
    node->sum = random_next(r);
    unsigned count = node->depth ? random_below(r, FANOUT_MAX + 1) : 0;
    for (unsigned i = 0; i < count; i++) {
        memset(&parts[i], 0, sizeof parts[i]);
        parts[i].tree = node->tree;
        parts[i].stream = random_next(r);
        parts[i].depth = node->depth - 1;
        parts[i].way = random_percent(r, node->tree->percent_submitted)
                           ? SUBMITTED
                       : random_percent(r, 10) ? CALLED
                                               : SPAWNED;
    }
    return count;
}

static uint64_t
sum_alone(struct part *node)
{
    struct part parts[FANOUT_MAX];
    struct random r;
    unsigned count = grow(node, &r, parts);
    for (unsigned i = 0; i < count; i++)
        node->sum += sum_alone(&parts[i]);
    return node->sum;
}

static int walk(cf_call *call, void *arg);

static int
walk_task(cf_call *call, const void *arg, size_t arg_size)
{
    CHECK_EQ(arg_size, sizeof(struct part *));
    return walk(call, *(struct part *const *)arg);
}

static void
begin(cf_call *call, struct part *part, cf_future *elder)
{
    if (part->way == SPAWNED) {
        part->elder = elder ? cf_future_ref(elder) : NULL;
        cf_spawn(call, &part->job, walk, part);
        atomic_fetch_add(&totals.jobs, 1);
    } else if (part->way == SUBMITTED) {
        cf_err err = cf_submit(
            cf_call_executor(call), walk_task, &part, sizeof part, &part->f);
        if (err) { /* the pool has been shut down */
            CHECK_EQ(err, CF_ESHUTDOWN);
            part->way = CALLED;
        }
    }
}

/* Ends the wait for a part that was submitted. Without an interrupt that is a
 * plain wait; else the part is awaited all the same, since it is on the
 * stack. */
static void
await_part(struct part *part)
{
    cf_err err;
    while ((err = cf_future_wait(part->f, CF_FOREVER)) == CF_EINTERRUPTED) {
        cf_future_cancel(part->f);
        sched_yield();
    }
    CHECK_EQ(err, CF_OK);
    if (cf_future_state(part->f) == CF_CANCELED) {
        CHECK_EQ(atomic_load(&part->runs), 0);
        part->rc = -1;
    }
    cf_future_unref(part->f);
}

static void
end(cf_call *call, struct part *part)
{
    if (part->way == SPAWNED) {
        int rc = cf_join(call, &part->job);
        CHECK_EQ(rc, part->rc);
    } else if (part->way == SUBMITTED) {
        await_part(part);
    } else {
        (void)walk(call, part);
    }
    CHECK_EQ(atomic_load(&part->runs), part->rc != -1);
}

/* Neither is below the other in the tree, so this is no circle. It would seem
 * to be one if the job ran on top of the part that it waits for. */
static void
wait_for_elder(cf_call *call, struct part *part)
{
    cf_err err = cf_future_wait(part->elder, CF_FOREVER);
    CHECK(err == CF_OK || (err == CF_EINTERRUPTED && cf_call_canceled(call)));
    cf_future_unref(part->elder);
}

/* A leaf that waits for its own tree cannot be served. */
static void
wait_for_root(cf_call *call, struct tree *tree)
{
    if (!atomic_load(&tree->ready))
        return;
    cf_err err = cf_future_wait(tree->root, CF_FOREVER);
    CHECK(err == CF_EDEADLK || err == CF_EINTERRUPTED || err == CF_ECANCELED);
    CHECK(err != CF_EINTERRUPTED || cf_call_canceled(call));
    atomic_fetch_add(&totals.refused, err == CF_EDEADLK);
}

static int
walk(cf_call *call, void *arg)
{
    struct part *node = arg;
    struct part parts[FANOUT_MAX];
    unsigned order[FANOUT_MAX];
    struct random r;
    CHECK_EQ(atomic_fetch_add(&node->runs, 1), 0);
    atomic_fetch_add(&totals.nodes, 1);
    unsigned count = grow(node, &r, parts);
    cf_future *elder = NULL;
    for (unsigned i = 0; i < count; i++) {
        begin(call, &parts[i], elder);
        order[i] = i;
        elder = parts[i].f ? parts[i].f : elder;
    }
    if (node->elder)
        wait_for_elder(call, node);
    bool plain = random_percent(&r, 60); /* the last one is ended first */
    for (unsigned i = count; i > 1 && !plain; i--) {
        unsigned other = random_below(&r, i), last = order[i - 1];
        order[i - 1] = order[other];
        order[other] = last;
    }
    if (count == 0 && node->tree->waits_for_root && random_percent(&r, 3))
        wait_for_root(call, node->tree);
    if (random_percent(&r, 20))
        random_delay(&r, 20000);
    for (unsigned i = count; i-- > 0;) {
        struct part *part = &parts[order[i]];
        end(call, part);
        node->sum += part->sum;
        if (part->rc)
            node->rc = part->rc == -1 ? 1 : part->rc;
    }
    if (random_percent(&r, node->tree->percent_failing))
        node->rc = cf_fail(call, 1 + (int)random_below(&r, 100), "a part");
    return node->rc;
}

/* What happens to the trees of a round, besides growing. */
enum fate { PLAIN, INTERRUPTED, SHUT_DOWN, TERMINATED, FATES };

static void
meet_fate(cf_executor *ex, enum fate fate, struct random *r, struct tree *trees)
{
    random_delay(r, 200000);
    for (unsigned i = 0; fate == INTERRUPTED && i < TREES; i++)
        if (random_percent(r, 50))
            (void)cf_future_interrupt(trees[i].root);
    if (fate == SHUT_DOWN)
        CHECK_EQ(cf_executor_shutdown(
                     ex, CF_SHUTDOWN_NOWAIT | CF_SHUTDOWN_CANCEL, CF_FOREVER),
                 CF_OK);
    if (fate == TERMINATED)
        CHECK_EQ(cf_executor_terminate(ex, 15), CF_OK);
}

static void
check_tree(struct tree *tree, struct part *root, enum fate fate)
{
    struct part again = {
        .tree = tree, .stream = root->stream, .depth = root->depth};
    cf_err err = cf_future_result(tree->root, CF_FOREVER, NULL);
    if (atomic_load(&root->runs) == 0) {
        CHECK_EQ(err, CF_ECANCELED);
        CHECK(fate == SHUT_DOWN || fate == TERMINATED || fate == INTERRUPTED);
    } else {
        CHECK(err == CF_OK || err == CF_ETASK || err == CF_ECANCELED);
        CHECK_EQ(err == CF_OK, root->rc == 0);
        if (fate == PLAIN)
            CHECK_EQ(root->sum, sum_alone(&again));
        if (fate == PLAIN && tree->percent_failing == 0)
            CHECK_EQ(root->rc, 0);
    }
    atomic_fetch_add(&totals.failed, root->rc != 0);
    cf_future_unref(tree->root);
}

static void
grow_trees(cf_executor *ex, struct random *r, enum fate fate)
{
    struct tree trees[TREES];
    struct part roots[TREES];
    memset(trees, 0, sizeof trees);
    memset(roots, 0, sizeof roots);
    for (unsigned i = 0; i < TREES; i++) {
        trees[i].percent_submitted = random_percent(r, 50) ? 0 : 20;
        trees[i].percent_failing = random_percent(r, 70) ? 0 : 2;
        /* Any wait of a circle may be refused. Here the only ones that are no
         * joins are those for the root. */
        trees[i].waits_for_root =
            trees[i].percent_submitted == 0 && random_percent(r, 20);
        roots[i].tree = &trees[i];
        roots[i].stream = random_next(r);
        roots[i].depth = 1 + random_below(r, DEPTH_MAX);
        struct part *root = &roots[i];
        CHECK_EQ(cf_submit(ex, walk_task, &root, sizeof root, &trees[i].root),
                 CF_OK);
        atomic_store(&trees[i].ready, true);
    }
    meet_fate(ex, fate, r, trees);
    for (unsigned i = 0; i < TREES; i++)
        check_tree(&trees[i], &roots[i], fate);
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    for (uint64_t round = 1; stress_goes_on(); round++) {
        struct random r = random_stream(round);
        cf_executor *ex = stress_random_pool(&r);
        for (int i = 0; i < 20; i++) {
            grow_trees(ex, &r, random_percent(&r, 80) ? PLAIN : INTERRUPTED);
            stress_alive();
        }
        grow_trees(ex, &r, (enum fate)random_below(&r, FATES));
        stress_pool_destroy(ex);
    }
    return stress_end("%llu nodes, %llu jobs, %llu trees failed, %llu waits "
                      "were refused",
                      totals.nodes,
                      totals.jobs,
                      totals.failed,
                      totals.refused);
}
