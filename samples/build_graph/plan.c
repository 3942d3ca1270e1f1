/* SPDX-License-Identifier: MIT */
/* Reads a plan. What it is made of is freed all at once. */
#define _GNU_SOURCE
#include "plan.h"

#include "../common/duration.h"

#include <ctype.h>
#include <errno.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct memory {
    struct memory *next;
    max_align_t bytes[];
};

/* Where reading is. */
struct reader {
    struct plan *plan;
    int line;
    struct target *target, **end; /* the last one, and its end */
    struct step **step_end;
};

static void complain(struct plan *plan, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
complain(struct plan *plan, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s:%d: ", plan->path, line);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    plan->errors++;
}

static void
no_memory(void)
{
    fputs("build_graph: out of memory\n", stderr);
    exit(EXIT_FAILURE);
}

static void *
allocate(struct plan *plan, size_t size)
{
    struct memory *memory = calloc(1, sizeof *memory + size);
    if (!memory)
        no_memory();
    memory->next = plan->memory;
    plan->memory = memory;
    return memory->bytes;
}

static const char *
copy(struct plan *plan, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(allocate(plan, size), text, size);
}

/* --- lines ---------------------------------------------------------------- */

/* The next word of a line, which it ends with a 0. NULL: there is none. */
static char *
next_word(char **at)
{
    char *word = *at + strspn(*at, " \t");
    if (!*word)
        return NULL;
    *at = word + strcspn(word, " \t");
    if (**at)
        *(*at)++ = '\0';
    return word;
}

static int
compare(const void *a, const void *b)
{
    return strcmp(((const struct target *)a)->name,
                  ((const struct target *)b)->name);
}

struct target *
plan_find(const struct plan *plan, const char *name)
{
    struct target key = {.name = name};
    struct target *const *found = tfind(&key, &plan->names, compare);
    return found ? *found : NULL;
}

/* false: there is one of that name already. */
static bool
enter(struct plan *plan, struct target *target)
{
    struct target *const *found = tsearch(target, &plan->names, compare);
    if (!found)
        no_memory();
    return *found == target;
}

static void
read_needs(struct reader *reader, char *at)
{
    struct need **end = &reader->target->needs;
    for (char *word; (word = next_word(&at)) != NULL;) {
        struct need *need = allocate(reader->plan, sizeof *need);
        need->name = copy(reader->plan, word);
        need->line = reader->line;
        *end = need;
        end = &need->next;
        reader->target->need_count++;
    }
}

/* NAME: NEED... or always NAME: NEED... */
static void
read_target(struct reader *reader, char *line)
{
    char *colon = strchr(line, ':');
    struct target *target = allocate(reader->plan, sizeof *target);
    reader->target = target; /* also one that is wrong has steps */
    reader->step_end = &target->steps;
    target->line = reader->line;
    if (!colon) {
        complain(reader->plan, reader->line, "no ':' behind a name");
        return;
    }
    *colon = '\0';
    char *at = line;
    char *name = next_word(&at);
    if (name && strcmp(name, "always") == 0 && at[strspn(at, " \t")]) {
        target->always = true;
        name = next_word(&at);
    }
    if (!name || next_word(&at)) {
        complain(reader->plan, reader->line, "not one name before ':'");
        return;
    }
    target->name = copy(reader->plan, name);
    if (!enter(reader->plan, target)) {
        complain(reader->plan,
                 reader->line,
                 "'%s' is in line %d already",
                 name,
                 plan_find(reader->plan, name)->line);
        return;
    }
    *reader->end = target;
    reader->end = &target->next;
    reader->plan->count++;
    read_needs(reader, colon + 1);
}

static void
read_step(struct reader *reader, char *line)
{
    struct step *step = allocate(reader->plan, sizeof *step);
    char *at = line;
    const char *kind = next_word(&at);
    const char *rest = at + strspn(at, " \t");
    step->text = copy(reader->plan, rest);
    if (!reader->target) {
        complain(reader->plan, reader->line, "a step before any target");
        return;
    }
    if (strcmp(kind, "run") == 0 && *rest) {
        step->kind = STEP_RUN;
    } else if (strcmp(kind, "fail") == 0) {
        step->kind = STEP_FAIL;
    } else if (strcmp(kind, "wait") == 0 &&
               parse_duration(rest, &step->duration_ns)) {
        step->kind = STEP_WAIT;
    } else {
        complain(reader->plan,
                 reader->line,
                 "not 'run COMMAND', 'wait 20ms' or 'fail MESSAGE'");
        return;
    }
    *reader->step_end = step;
    reader->step_end = &step->next;
}

static void
read_line(struct reader *reader, char *line)
{
    size_t length = strlen(line);
    while (length && isspace((unsigned char)line[length - 1]))
        line[--length] = '\0';
    size_t blanks = strspn(line, " \t");
    if (!line[blanks] || line[blanks] == '#')
        return;
    if (blanks)
        read_step(reader, line);
    else
        read_target(reader, line);
}

void
plan_read(struct plan *plan, const char *path)
{
    struct reader reader = {.plan = plan, .end = &plan->first};
    char *line = NULL;
    size_t size = 0;
    *plan = (struct plan){.path = path};
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!file) {
        fprintf(stderr, "build_graph: %s: %s\n", path, strerror(errno));
        plan->errors++;
        return;
    }
    while (getline(&line, &size, file) >= 0) {
        reader.line++;
        read_line(&reader, line);
    }
    if (ferror(file)) {
        fprintf(stderr, "build_graph: %s: cannot be read\n", path);
        plan->errors++;
    }
    free(line);
    if (file != stdin)
        (void)fclose(file);
}

/* Targets are a part of the memory. */
static void
keep(void *target)
{
    (void)target;
}

void
plan_fini(struct plan *plan)
{
    tdestroy(plan->names, keep);
    for (struct memory *at = plan->memory, *next; at; at = next) {
        next = at->next;
        free(at);
    }
}
