/* SPDX-License-Identifier: MIT */
#include "thumbnail.h"

#include "codec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a file is, its first bytes say, whatever its name is. */
static const struct format {
    const char *begin;
    decode_fn *decode;
    encode_fn *encode;
} formats[] = {{"\xff\xd8\xff", decode_jpeg, encode_jpeg},
               {"\x89PNG\r\n\x1a\n", decode_png, encode_png}};

static const struct format *
find_format(const struct file_bytes *file)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        size_t length = strlen(formats[i].begin);
        if (file->data && file->size >= length &&
            memcmp(file->data, formats[i].begin, length) == 0)
            return &formats[i];
    }
    return NULL;
}

static int
fail(cf_call *call, int error)
{
    return cf_fail(call, error, "%s", strerror(error));
}

/* --- reading -------------------------------------------------------------- */

/* Reads size bytes, or up to the end of a file that is shorter by now. */
static int
read_bytes(cf_call *call, int fd, size_t size, struct file_bytes *out)
{
    unsigned char *bytes = malloc(size + 1);
    if (!bytes)
        return fail(call, ENOMEM);
    *out = (struct file_bytes){.data = bytes};
    while (out->size < size) {
        ssize_t n = read(fd, bytes + out->size, size - out->size);
        if (cf_call_canceled(call))
            return cf_fail(call, EINTR, "told to stop");
        if (n < 0 && errno != EINTR)
            return fail(call, errno);
        if (n == 0)
            break;
        out->size += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* free() the data, also after a failure. */
static int
read_file(cf_call *call, const struct request *request, struct file_bytes *out)
{
    struct stat status;
    int fd = open(request->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return fail(call, errno);
    int rc = 0;
    if (fstat(fd, &status))
        rc = fail(call, errno);
    else if (!S_ISREG(status.st_mode))
        rc = cf_fail(call, 1, "is no regular file");
    else if ((uint64_t)status.st_size > request->memory)
        rc = cf_fail(call, CF_ETOOBIG, "is larger than the memory it may have");
    else
        rc = read_bytes(call, fd, (size_t)status.st_size, out);
    (void)close(fd);
    return rc;
}

/* --- the task ------------------------------------------------------------- */

static int
convert(cf_call *call,
        const struct request *request,
        const struct file_bytes *file)
{
    const struct format *format = find_format(file);
    struct image image = {0}, small;
    if (!format)
        return cf_fail(call, 1, "neither JPEG nor PNG");
    int rc = format->decode(call, file, request->size, request->memory, &image);
    if (!rc)
        rc = image_shrink(call, &image, request->size, &small);
    free(image.pixels);
    if (rc)
        return rc;
    rc = format->encode(call, &small);
    free(small.pixels);
    return rc;
}

int
make_thumbnail(cf_call *call, const void *arg, size_t arg_size)
{
    const struct request *request = arg;
    struct file_bytes file = {0};
    (void)arg_size;
    int rc = read_file(call, request, &file);
    if (!rc)
        rc = convert(call, request, &file);
    free((void *)file.data);
    return rc;
}
