/* SPDX-License-Identifier: MIT */
/*
 * What the components, which are libraries beside this one, use of lib/. All
 * other names that begin with cf__ are hidden in the shared library. Those with
 * this mark are exported, in a symbol version of the release's own: the dynamic
 * linker does not start a component that is of another release. The test
 * `symbols_private` fails if no component needs a mark.
 *
 * In this library they are protected: what it calls itself costs no more than
 * if it were hidden.
 */
#ifndef CF_LIB_BASE_EXPORT_H
#define CF_LIB_BASE_EXPORT_H

#ifdef CF__CORE /* when lib/ is compiled */
#define CF__EXPORT __attribute__((visibility("protected")))
#else
#define CF__EXPORT
#endif

#endif
