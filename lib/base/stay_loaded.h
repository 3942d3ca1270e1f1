/* SPDX-License-Identifier: MIT */
/*
 * If a library is unloaded, some things that point into it stay behind: the
 * hook at the end of each thread, the library's own threads, blocks in the
 * hands of other code. So the object with this code stays loaded as soon as any
 * of these exists. The object is the shared library, or whatever the archive
 * was linked into.
 */
#ifndef CF_LIB_BASE_STAY_LOADED_H
#define CF_LIB_BASE_STAY_LOADED_H

#include <stdbool.h>

/* From now on dlclose() does not unload this code. false: no memory; the next
 * call tries again. */
bool cf__stay_loaded(void);

#endif
