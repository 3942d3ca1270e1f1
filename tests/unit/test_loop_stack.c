/* SPDX-License-Identifier: MIT */
/* Stacks of the event loop, and switching between them: event_loop/stack.h and
 * context.h. */
#include "event_loop/context_switch.h"
#include "event_loop/stack.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fenv.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONTROL = 300, BESIDE = 8, SIZE = 64 * 1024 };

static void *
new_stack(struct cf__stacks *stacks)
{
    void *control = cf__stacks_new(stacks);
    cr_assert_not_null(control);
    cf__stacks_count_in(stacks);
    return control;
}

Test(loop_stack, stacks_are_apart_and_stay_where_they_are)
{
    enum { N = 3 * CF__STACKS_PER_SEGMENT + 1 };
    static char *controls[N];
    struct cf__stacks stacks;
    cr_assert(cf__stacks_init(&stacks, SIZE, CONTROL, BESIDE));
    for (uint32_t i = 0; i < N; i++) {
        controls[i] = new_stack(&stacks);
        cr_assert((uintptr_t)controls[i] % 64 == 0);
        char *bottom = cf__stack_bottom(&stacks, controls[i]);
        cr_assert(cf__stack_room(&stacks, controls[i]) >= SIZE);
        cr_assert(bottom + cf__stack_room(&stacks, controls[i]) == controls[i]);
        bottom[0] = (char)i;
        memset(controls[i], (int)i, CONTROL);
    }
    for (uint32_t i = 0; i < N; i++) {
        cr_assert(cf__stacks_at(&stacks, i) == controls[i]);
        cr_assert(controls[i][CONTROL - 1] == (char)i);
        cr_assert(*(char *)cf__stack_bottom(&stacks, controls[i]) == (char)i);
    }
    cf__stack_trim(&stacks, controls[0]);
    cr_assert(controls[1][0] == 1 && controls[0][0] == 0);
    cf__stacks_fini(&stacks);
}

/* Else all would use the same few sets of the processor's cache. */
Test(loop_stack, stacks_next_to_each_other_lie_differently_in_their_pages)
{
    struct cf__stacks stacks;
    cr_assert(cf__stacks_init(&stacks, SIZE, CONTROL, BESIDE));
    size_t page = stacks.page, former = page;
    for (int i = 0; i < 2 * CF__STACKS_PER_SEGMENT; i++) {
        size_t place = (uintptr_t)new_stack(&stacks) % page;
        cr_assert(place != former);
        former = place;
    }
    cf__stacks_fini(&stacks);
}

struct rounding {
    struct cf__context root, context;
    int mode;
};

static void
round_up(void *data)
{
    struct rounding *r = data;
    for (;;) {
        fesetround(FE_UPWARD);
        cf__context_switch(&r->context, &r->root);
        r->mode = fegetround();
    }
}

/* As functions that are called are to leave it. */
Test(loop_stack, a_context_rounds_as_it_says)
{
    struct cf__stacks stacks;
    static struct rounding r;
    cr_assert(cf__stacks_init(&stacks, SIZE, CONTROL, BESIDE));
    void *control = new_stack(&stacks);
    cf__context_adopt(&r.root);
    cf__context_make(&r.context,
                     &r.root,
                     cf__stack_bottom(&stacks, control),
                     cf__stack_room(&stacks, control),
                     round_up,
                     &r);
    cf__context_switch(&r.root, &r.context);
    cr_assert(fegetround() == FE_TONEAREST);
    fesetround(FE_TOWARDZERO);
    cf__context_switch(&r.root, &r.context);
    cr_assert(r.mode == FE_UPWARD);
    cr_assert(fegetround() == FE_TOWARDZERO);
    cf__context_fini(&r.context);
    cf__stacks_fini(&stacks);
}

Test(loop_stack, no_object_is_so_large)
{
    struct cf__stacks stacks;
    cr_assert(!cf__stacks_init(&stacks, SIZE_MAX / 2, CONTROL, BESIDE));
}

Test(loop_stack, no_memory_is_an_answer)
{
    struct cf__stacks stacks;
    cr_assert(cf__stacks_init(&stacks, SIZE_MAX / 512, CONTROL, BESIDE));
    cr_assert_null(cf__stacks_new(&stacks));
    cf__stacks_fini(&stacks);
}

Test(loop_stack, below_a_stack_is_a_guard)
{
    struct cf__stacks stacks;
    cr_assert(cf__stacks_init(&stacks, SIZE, CONTROL, BESIDE));
    (void)new_stack(&stacks);
    char *bottom = cf__stack_bottom(&stacks, new_stack(&stacks));
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        *(volatile char *)(bottom - 1) = 1;
        _exit(0);
    }
    int status;
    cr_assert(waitpid(child, &status, 0) == child);
    cr_assert(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
    cf__stacks_fini(&stacks);
}

struct pair {
    struct cf__context root, contexts[2];
    char order[16];
    int length, number;
};

static void
alternate(void *data)
{
    struct pair *pair = data;
    int mine = pair->number++;
    for (;;) {
        pair->order[pair->length++] = (char)('a' + mine);
        errno = mine;
        cf__context_switch(&pair->contexts[mine], &pair->root);
        cr_assert(errno == mine, "%d", errno);
    }
}

Test(loop_stack, contexts_go_on_where_they_left)
{
    struct cf__stacks stacks;
    static struct pair pair;
    cr_assert(cf__stacks_init(&stacks, SIZE, CONTROL, BESIDE));
    cf__context_adopt(&pair.root);
    for (int i = 0; i < 2; i++) {
        void *control = new_stack(&stacks);
        cf__context_make(&pair.contexts[i],
                         &pair.root,
                         cf__stack_bottom(&stacks, control),
                         cf__stack_room(&stacks, control),
                         alternate,
                         &pair);
    }
    for (int i = 0; i < 6; i++) {
        errno = 100;
        cf__context_switch(&pair.root, &pair.contexts[i % 2]);
        cr_assert(errno == 100, "%d", errno);
    }
    cr_assert_str_eq(pair.order, "ababab");
    for (int i = 0; i < 2; i++)
        cf__context_fini(&pair.contexts[i]);
    cf__stacks_fini(&stacks);
}
