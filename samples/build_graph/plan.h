/* SPDX-License-Identifier: MIT */
/*
 * What is to be built: targets, what each of them needs, and its steps. Read
 * from a file such as
 *
 *     # comment
 *     parser: lexer config
 *         run cc -c parser.c
 *         wait 20ms
 *     always report: parser
 *         run echo done
 *
 * A step is a command for the shell (run), a pause (wait), or a failure (fail
 * MESSAGE). A target that begins with always is built also if one that it needs
 * has failed.
 */
#ifndef BUILD_GRAPH_PLAN_H
#define BUILD_GRAPH_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum step_kind { STEP_RUN, STEP_WAIT, STEP_FAIL };

struct step {
    enum step_kind kind;
    const char *text;    /* the command, or the message */
    int64_t duration_ns; /* of a pause */
    struct step *next;
};

struct need {
    const char *name;
    int line;              /* of the file */
    struct target *target; /* set by order.c */
    struct need *next;
};

struct target {
    const char *name;
    int line;
    bool always;
    struct need *needs;
    size_t need_count;
    struct step *steps;
    struct target *next; /* as in the file; then in the order to build in */
    int mark;            /* of the search for that order */
    size_t place;        /* main.c: of its future */
};

struct plan {
    const char *path;
    struct target *first;
    size_t count;
    void *names; /* a tree of the targets */
    int errors;  /* each has been reported on standard error */
    struct memory *memory;
};

/* Reads a file; "-" is standard input. What is wrong is reported, and counted
 * in errors. */
void plan_read(struct plan *plan, const char *path);

/* Orders the targets of these names, or all without any, and what they need, so
 * that each comes after what it needs; the others are left out. Names that are
 * unknown, and circles, are reported and counted, too. */
void plan_order(struct plan *plan, char *const *names, size_t name_count);

/* The target of that name. NULL: there is none. */
struct target *plan_find(const struct plan *plan, const char *name);

void plan_fini(struct plan *plan);

#endif
