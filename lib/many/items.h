/* SPDX-License-Identifier: MIT */
/*
 * The items of a chunk whose map has an item_free: a copy of them that stays in
 * the program, until the chunk's task is done and they are freed.
 */
#ifndef CF_LIB_MANY_ITEMS_H
#define CF_LIB_MANY_ITEMS_H

#include <cfutures/map.h>

struct cf__items;

/* Room for at most count items; NULL: no memory. Nothing after it needs any. */
struct cf__items *
cf__items_new(const cf_map_options *options, size_t item_size, size_t count);

/* Copies the count items that were taken from the input. */
void cf__items_take(struct cf__items *items, const void *from, size_t count);

/* Frees them now: they were not submitted. NULL is fine. */
void cf__items_free(struct cf__items *items);

/* Frees them when f is done, which is the task of their chunk. */
void cf__items_free_after(struct cf__items *items, cf_future *f);

/* Frees the items of an array, if options has an item_free. */
void cf__items_free_array(const cf_map_options *options,
                          const unsigned char *items,
                          size_t item_size,
                          size_t count);

#endif
