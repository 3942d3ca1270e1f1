/* SPDX-License-Identifier: MIT */
/*
 * The order of a plan: a search in depth, along what targets need. A way that
 * comes back to a target on it is a circle. The way is on the heap: plans may
 * be long chains.
 */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>

enum { NEW, ON_THE_WAY, ORDERED };

/* A target on the way, and what it needs that has not been looked at. */
struct place {
    struct target *target;
    struct need *next;
};

struct search {
    struct plan *plan;
    struct place *way;
    size_t length;
    struct target **end; /* of the new list */
};

static void
find_needs(struct plan *plan)
{
    for (struct target *t = plan->first; t; t = t->next) {
        for (struct need *need = t->needs; need; need = need->next) {
            need->target = plan_find(plan, need->name);
            if (need->target)
                continue;
            fprintf(stderr,
                    "%s:%d: '%s' needs '%s', which is no target\n",
                    plan->path,
                    need->line,
                    t->name,
                    need->name);
            plan->errors++;
        }
    }
}

/* The last target of the way needs one that is on it. */
static void
report_circle(struct search *search, const struct need *need)
{
    size_t at = search->length;
    while (search->way[at - 1].target != need->target)
        at--;
    fprintf(stderr, "%s:%d: a circle: ", search->plan->path, need->line);
    for (at--; at < search->length; at++)
        fprintf(stderr, "%s -> ", search->way[at].target->name);
    fprintf(stderr, "%s\n", need->target->name);
    search->plan->errors++;
}

static void
go_to(struct search *search, struct target *target)
{
    target->mark = ON_THE_WAY;
    search->way[search->length++] = (struct place){target, target->needs};
}

static void
search_from(struct search *search, struct target *target)
{
    if (target->mark == NEW)
        go_to(search, target);
    while (search->length) {
        struct place *at = &search->way[search->length - 1];
        struct need *need = at->next;
        if (!need) { /* all that it needs is in the list */
            at->target->mark = ORDERED;
            *search->end = at->target;
            search->end = &at->target->next;
            search->length--;
            continue;
        }
        at->next = need->next;
        if (need->target && need->target->mark == NEW)
            go_to(search, need->target);
        else if (need->target && need->target->mark == ON_THE_WAY)
            report_circle(search, need);
    }
}

/* All targets, as in the file. NULL: no memory. */
static struct target **
list_all(const struct plan *plan)
{
    struct target **list = calloc(plan->count + 1, sizeof(struct target *));
    size_t count = 0;
    for (struct target *t = list ? plan->first : NULL; t; t = t->next)
        list[count++] = t;
    return list;
}

void
plan_order(struct plan *plan, char *const *names, size_t name_count)
{
    struct target **all = list_all(plan);
    struct target *first = NULL;
    struct search search = {.plan = plan, .end = &first};
    search.way = calloc(plan->count + 1, sizeof *search.way);
    if (!all || !search.way) {
        fputs("build_graph: out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    find_needs(plan);
    for (size_t i = 0; i < name_count; i++) {
        struct target *target = plan_find(plan, names[i]);
        if (target) {
            search_from(&search, target);
        } else {
            fprintf(stderr, "%s: no target '%s'\n", plan->path, names[i]);
            plan->errors++;
        }
    }
    for (size_t i = 0; i < plan->count && name_count == 0; i++)
        search_from(&search, all[i]);
    *search.end = NULL;
    plan->first = first;
    plan->count = 0;
    for (const struct target *t = first; t; t = t->next)
        plan->count++;
    free(search.way);
    free(all);
}
