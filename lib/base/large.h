/* SPDX-License-Identifier: MIT */
/*
 * Large pieces of memory, in huge pages where the system has them: the first
 * use of a huge page is one page fault instead of 512. With CF_HUGE_PAGES=0 in
 * the environment, or where the system refuses, the pages are small.
 */
#ifndef CF_LIB_BASE_LARGE_H
#define CF_LIB_BASE_LARGE_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes: a huge page on most machines. */
enum { CF__HUGE_PAGE = 2 << 20 };

/* Maps size bytes, whole pages, zero. munmap() gives them back. A huge page or
 * more begins at a multiple of CF__HUGE_PAGE, and *huge says whether it comes
 * in huge pages if the system has some. NULL: no memory. */
void *cf__large_map(size_t size, bool *huge);

/* Asks for huge pages. Returns as *huge of cf__large_map() is. */
bool cf__large_ask(void *start, size_t size);

/* Memory that is about to be used, in whole pages: takes their page faults at
 * once, which costs less than one by one. If the system cannot, or has no
 * memory, the pages come as they are used. */
void cf__large_populate(void *start, size_t size);

/* For arrays: like malloc() and calloc(), as long as size is less than a huge
 * page. NULL: no memory. */
void *cf__large_malloc(size_t size);
void *cf__large_calloc(size_t size);

/* Frees what one of these has given. size: as at the allocation. p may be
 * NULL. */
void cf__large_free(void *p, size_t size);

#endif
