/* SPDX-License-Identifier: MIT */
#include "utf8.h"

#include <stdint.h>

/* How many bytes begin with this one; 0: none do. */
static int
sequence_size(unsigned char first)
{
    if (first < 0x80)
        return first != 0;
    if (first < 0xc2)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

/* Neither written with too many bytes, nor a surrogate, nor beyond the end of
 * Unicode. */
static bool
is_character(uint32_t code, int size)
{
    if (size == 3)
        return code >= 0x800 && (code < 0xd800 || code > 0xdfff);
    return size != 4 || (code >= 0x10000 && code <= 0x10ffff);
}

bool
is_utf8(const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + size;
    while (at < end) {
        int bytes = sequence_size(*at);
        if (bytes == 0 || bytes > end - at)
            return false;
        uint32_t code = *at++ & (bytes == 1 ? 0x7fU : 0xffU >> (bytes + 1));
        for (int i = 1; i < bytes; i++, at++) {
            if ((*at & 0xc0) != 0x80)
                return false;
            code = code << 6 | (*at & 0x3fU);
        }
        if (!is_character(code, bytes))
            return false;
    }
    return true;
}
