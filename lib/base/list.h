/* SPDX-License-Identifier: MIT */
/*
 * Lists of what has a struct cf__link in it. They go round through the list
 * itself, so that adding and taking out have no special cases. No locks: the
 * caller has one.
 */
#ifndef CF_LIB_BASE_LIST_H
#define CF_LIB_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* A list, or a place in one. Of a list, next is the first and prev the last; if
 * it is empty, both are the list. */
struct cf__link {
    struct cf__link *next, *prev;
};

/* What has link as its field. */
#define CF__LINK_OWNER(link_, type_, field_)                                   \
    ((type_ *)(void *)((char *)(link_)-offsetof(type_, field_)))

static inline void
cf__list_init(struct cf__link *list)
{
    list->next = list->prev = list;
}

static inline bool
cf__list_is_empty(const struct cf__link *list)
{
    return list->next == list;
}

static inline void
cf__list_append(struct cf__link *list, struct cf__link *link)
{
    link->next = list;
    link->prev = list->prev;
    list->prev->next = link;
    list->prev = link;
}

static inline void
cf__list_take_out(struct cf__link *link)
{
    link->next->prev = link->prev;
    link->prev->next = link->next;
}

#endif
