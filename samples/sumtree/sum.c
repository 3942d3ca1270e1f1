/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "sum.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <nettle/version.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 64 * 1024 };

static int
sum_descriptor(cf_call *call, int fd)
{
    unsigned char bytes[PIECE], sum[DIGEST];
    struct sha256_ctx context;
    ssize_t n;
    sha256_init(&context);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    while ((n = read(fd, bytes, sizeof bytes)) != 0) {
        if (cf_call_canceled(call))
            return cf_fail(call, EINTR, "told to stop");
        if (n < 0 && errno != EINTR)
            return cf_fail(call, errno, "%s", strerror(errno));
        if (n > 0)
            sha256_update(&context, (size_t)n, bytes);
    }
#if NETTLE_VERSION_MAJOR >= 4
    sha256_digest(&context, sum);
#else
    sha256_digest(&context, DIGEST, sum);
#endif
    return (int)cf_return(call, sum, sizeof sum);
}

int
sum_file(cf_call *call, const void *arg, size_t arg_size)
{
    const struct file *file = arg;
    (void)arg_size;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return cf_fail(call, errno, "%s", strerror(errno));
    int rc = sum_descriptor(call, fd);
    (void)close(fd);
    return rc;
}
