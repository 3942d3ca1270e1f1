/* SPDX-License-Identifier: MIT */
/* Finds callers of this library on the stack: see place.h. */
#include "lib/base/place.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { FRAMES_MAX = 24 };

/* As in stay_loaded.c. */
#pragma weak dladdr

/* musl has none. */
/* NOLINTNEXTLINE(readability-redundant-declaration): its header is not there */
extern int backtrace(void **frames, int count) __attribute__((weak));

/* Where this library is; empty: not known. Constant after the begin. */
static struct {
    uintptr_t begin, end;
} own;

static int
find_own(struct dl_phdr_info *info, size_t size, void *data)
{
    const uintptr_t here = (uintptr_t)&own;
    uintptr_t begin = UINTPTR_MAX, end = 0;
    (void)size;
    (void)data;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        uintptr_t at = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        uintptr_t after = at + info->dlpi_phdr[i].p_memsz;
        begin = at < begin ? at : begin;
        end = after > end ? after : end;
    }
    if (here < begin || here >= end)
        return 0;
    if (strstr(info->dlpi_name, "libcfutures.so")) {
        own.begin = begin;
        own.end = end;
    }
    return 1;
}

void
cf__place_begin(void)
{
    void *frames[1];
    if (!backtrace || !dladdr)
        return;
    (void)dl_iterate_phdr(find_own, NULL);
    (void)backtrace(frames, 1); /* loads what it needs the first time */
}

const void *
cf__place_of_call(void)
{
    void *frames[FRAMES_MAX];
    int count = own.end ? backtrace(frames, FRAMES_MAX) : 0;
    for (int i = 0; i < count; i++) {
        uintptr_t at = (uintptr_t)frames[i];
        if (at < own.begin || at >= own.end)
            return (const char *)frames[i] - 1; /* it returns to after that */
    }
    return NULL;
}

void
cf__place_text(const void *place, char *to, size_t size)
{
    Dl_info info = {NULL, NULL, NULL, NULL};
    if (!dladdr || !dladdr(place, &info) || !info.dli_fname) {
        (void)snprintf(to, size, "%p", place);
        return;
    }
    const char *slash = strrchr(info.dli_fname, '/');
    const char *file = slash ? slash + 1 : info.dli_fname;
    const char *from = info.dli_sname ? info.dli_saddr : info.dli_fbase;
    const size_t offset = (size_t)((const char *)place - from);
    if (info.dli_sname)
        (void)snprintf(to, size, "%s+0x%zx (%s)", info.dli_sname, offset, file);
    else
        (void)snprintf(to, size, "%s+0x%zx", file, offset);
}
