/* SPDX-License-Identifier: MIT */
/*
 * A decoder with faults: what the sample's calls of tjDecompress2() get in the
 * test. A JPEG file whose comment is "faulty: " and a word makes it crash,
 * exit, hang or leak; others are decoded.
 */
#undef tjDecompress2 /* which is faulty_decompress for the sample */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>
#include <unistd.h>

enum { COMMENT = 6, MIB = 1 << 20 };

int faulty_decompress(tjhandle handle,
                      const unsigned char *jpeg,
                      unsigned long size,
                      unsigned char *pixels,
                      int width,
                      int pitch,
                      int height,
                      int format,
                      int flags);

static bool
says(const unsigned char *jpeg, unsigned long size, const char *comment)
{
    return size > COMMENT + strlen(comment) &&
           memcmp(jpeg + COMMENT, comment, strlen(comment)) == 0;
}

/* Takes memory until there is no more, which it does not look for. */
static void
leak(void)
{
    char *volatile last;
    for (;;) {
        last = malloc(MIB);
        memset(last, 1, MIB);
    }
}

int
faulty_decompress(tjhandle handle,
                  const unsigned char *jpeg,
                  unsigned long size,
                  unsigned char *pixels,
                  int width,
                  int pitch,
                  int height,
                  int format,
                  int flags)
{
    if (says(jpeg, size, "faulty: crash"))
        *(volatile char *)(uintptr_t)0xdead0 = 1;
    if (says(jpeg, size, "faulty: exit"))
        exit(3);
    while (says(jpeg, size, "faulty: hang"))
        pause();
    if (says(jpeg, size, "faulty: leak"))
        leak();
    return tjDecompress2(
        handle, jpeg, size, pixels, width, pitch, height, format, flags);
}
