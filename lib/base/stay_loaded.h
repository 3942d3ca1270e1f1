/* SPDX-License-Identifier: MIT */
/*
 * A library that is unloaded leaves behind what still points into it: the
 * hook at the end of each thread, threads of its own, blocks in the hands of
 * others. So the object with this code, the shared library or whatever the
 * archive was linked into, stays loaded once any of that exists.
 */
#ifndef CF_LIB_BASE_STAY_LOADED_H
#define CF_LIB_BASE_STAY_LOADED_H

#include <stdbool.h>

/* From now on dlclose() leaves this code where it is. false: no memory; to be
 * tried again. */
bool cf__stay_loaded(void);

#endif
