/* SPDX-License-Identifier: MIT */
/* The event loop's timers against a plain list: event_loop/timer_heap.h. */
#include "event_loop/timer_heap.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { N = 300 };

struct model {
    struct cf__timer_heap heap;
    struct cf__loop_timer timers[N];
    int64_t at[N]; /* INT64_MAX: it is not set */
};

static int64_t
earliest(const struct model *model)
{
    int64_t at = INT64_MAX;
    for (int i = 0; i < N; i++)
        at = model->at[i] < at ? model->at[i] : at;
    return at;
}

Test(timer_heap, agrees_with_a_list)
{
    static struct model model;
    cr_assert(cf__timer_heap_reserve(&model.heap, N));
    for (int i = 0; i < N; i++)
        model.at[i] = INT64_MAX;
    srand(7);
    for (int step = 0; step < 20000; step++) {
        int i = rand() % N;
        if (model.at[i] == INT64_MAX) {
            model.at[i] = rand() % 1000;
            cf__timer_heap_set(&model.heap, &model.timers[i], model.at[i]);
        } else {
            model.at[i] = INT64_MAX;
            cf__timer_heap_clear(&model.heap, &model.timers[i]);
            cr_assert(model.timers[i].place == 0);
        }
        cr_assert(cf__timer_heap_next(&model.heap) == earliest(&model));
    }
    while (model.heap.count) {
        int64_t at = cf__timer_heap_next(&model.heap);
        cr_assert(at == earliest(&model));
        struct cf__loop_timer *timer = model.heap.entries[0].timer;
        model.at[timer - model.timers] = INT64_MAX;
        cf__timer_heap_clear(&model.heap, timer);
    }
    cr_assert(earliest(&model) == INT64_MAX);
    cf__timer_heap_clear(&model.heap, &model.timers[0]);
    cf__timer_heap_fini(&model.heap);
}

Test(timer_heap, makes_room)
{
    struct cf__timer_heap heap = {0};
    cr_assert(cf__timer_heap_reserve(&heap, 1) && heap.capacity >= 1);
    cr_assert(cf__timer_heap_reserve(&heap, 5000) && heap.capacity >= 5000);
    cr_assert(!cf__timer_heap_reserve(&heap, SIZE_MAX));
    cr_assert(heap.capacity >= 5000);
    cf__timer_heap_fini(&heap);
}
