/* SPDX-License-Identifier: MIT */
/*
 * Copies of a few bytes, in moves of constant sizes: a call of memcpy() costs
 * more than all of its bytes. Two moves overlap where the size is not theirs.
 */
#ifndef CF_LIB_BASE_COPY_H
#define CF_LIB_BASE_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { CF__SHORT = 16 }; /* bytes */

/* Copies size bytes, from 1 to CF__SHORT. The areas may overlap: all is read
 * before anything is written. */
static inline void
cf__copy_short(void *to, const void *from, size_t size)
{
    unsigned char *out = to;
    const unsigned char *in = from;
    if (size >= sizeof(uint64_t)) {
        uint64_t first, last;
        memcpy(&first, in, sizeof first);
        memcpy(&last, in + size - sizeof last, sizeof last);
        memcpy(out, &first, sizeof first);
        memcpy(out + size - sizeof last, &last, sizeof last);
    } else if (size >= sizeof(uint32_t)) {
        uint32_t first, last;
        memcpy(&first, in, sizeof first);
        memcpy(&last, in + size - sizeof last, sizeof last);
        memcpy(out, &first, sizeof first);
        memcpy(out + size - sizeof last, &last, sizeof last);
    } else {
        unsigned char first = in[0], middle = in[size / 2], last = in[size - 1];
        out[0] = first;
        out[size / 2] = middle;
        out[size - 1] = last;
    }
}

#endif
