/* SPDX-License-Identifier: MIT */
/* Ranges of bits, one for each page, in 64-bit words. */
#ifndef CF_PROCESS_POOL_PAGE_BITS_H
#define CF_PROCESS_POOL_PAGE_BITS_H

#include <stdbool.h>
#include <stdint.h>

/* The end of the part of from .. to - 1 that lies in from's word. */
static inline uint32_t
cf__bits_word_end(uint32_t from, uint32_t to)
{
    uint32_t last = from | 63;
    return last < to ? last + 1 : to;
}

/* A mask of bits from .. to - 1, which lie in one word. */
static inline uint64_t
cf__bits_mask(uint32_t from, uint32_t to)
{
    return ~UINT64_C(0) << (from % 64) & ~UINT64_C(0) >> (63 - (to - 1) % 64);
}

/* Sets bits from .. to - 1 to value. */
static inline void
cf__bits_assign(uint64_t *words, uint32_t from, uint32_t to, bool value)
{
    while (from < to) {
        uint32_t end = cf__bits_word_end(from, to);
        uint64_t mask = cf__bits_mask(from, end);
        if (value)
            words[from / 64] |= mask;
        else
            words[from / 64] &= ~mask;
        from = end;
    }
}

/* The first of bits from .. to - 1 that equals value; to, if none does. */
static inline uint32_t
cf__bits_find(const uint64_t *words, uint32_t from, uint32_t to, bool value)
{
    while (from < to) {
        uint32_t end = cf__bits_word_end(from, to);
        uint64_t word = value ? words[from / 64] : ~words[from / 64];
        word &= cf__bits_mask(from, end);
        if (word)
            return from / 64 * 64 + (uint32_t)__builtin_ctzll(word);
        from = end;
    }
    return to;
}

#endif
