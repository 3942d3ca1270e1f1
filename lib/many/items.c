/* SPDX-License-Identifier: MIT */
/* Items that are freed when their chunk is done: see items.h. No locks. */
#include "lib/many/items.h"

#include "lib/base/cancel.h"
#include "lib/base/size.h"
#include "lib/executor/ask.h"
#include "lib/future/waiter.h"

#include <stdlib.h>
#include <string.h>

struct cf__items {
    cf_item_free_fn *free;
    void *context;
    struct cf__callback *callback; /* of the chunk's future. NULL: its own */
    size_t item_size, count;
    _Alignas(16) unsigned char bytes[]; /* aligned as a task's argument */
};

static void
free_each(cf_item_free_fn *item_free,
          void *context,
          const unsigned char *items,
          size_t item_size,
          size_t count)
{
    int former = cf__cancel_disable(); /* user code, inside of a call */
    for (size_t i = 0; i < count; i++)
        item_free(items + i * item_size, context);
    cf__cancel_restore(former);
}

struct cf__items *
cf__items_new(const cf_map_options *options, size_t item_size, size_t count)
{
    size_t size;
    if (!cf__size_add(sizeof(struct cf__items), count, item_size, &size))
        return NULL;
    struct cf__items *items = malloc(size);
    struct cf__callback *callback = malloc(sizeof *callback);
    if (!items || !callback) {
        free(items);
        free(callback);
        return NULL;
    }
    *items = (struct cf__items){.free = options->item_free,
                                .context = options->context,
                                .callback = callback,
                                .item_size = item_size};
    return items;
}

void
cf__items_take(struct cf__items *items, const void *from, size_t count)
{
    memcpy(items->bytes, from, count * items->item_size);
    items->count = count;
}

void
cf__items_free(struct cf__items *items)
{
    if (!items)
        return;
    free_each(items->free,
              items->context,
              items->bytes,
              items->item_size,
              items->count);
    free(items->callback);
    free(items);
}

static void
chunk_is_done(cf_future *f, void *data)
{
    (void)f;
    cf__items_free(data);
}

void
cf__items_free_after(struct cf__items *items, cf_future *f)
{
    struct cf__callback *callback = items->callback;
    items->callback = NULL;
    *callback = (struct cf__callback){.fn = chunk_is_done, .data = items};
    cf__future_call_back(f, callback);
}

void
cf__items_free_array(const cf_map_options *options,
                     const unsigned char *items,
                     size_t item_size,
                     size_t count)
{
    if (options->item_free)
        free_each(
            options->item_free, options->context, items, item_size, count);
}
