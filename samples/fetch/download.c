/* SPDX-License-Identifier: MIT */
#include "download.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct download *
download_create(const struct transfer_limits *limits,
                const char *url,
                const char *path,
                size_t *size)
{
    const size_t url_size = strlen(url) + 1, path_size = strlen(path) + 1;
    struct download *download = malloc(sizeof *download + url_size + path_size);
    if (!download)
        return NULL;
    *size = sizeof *download + url_size + path_size;
    download->limits = *limits;
    download->url_size = url_size;
    memcpy(download->text, url, url_size);
    memcpy(download->text + url_size, path, path_size);
    return download;
}

/* What the callbacks of a transfer use. */
struct file {
    int fd;
    int error; /* an errno: it cannot be written */
    uint64_t bytes;
};

/* Before each try. */
static void
begin_file(void *data)
{
    struct file *file = data;
    file->bytes = 0;
    if (ftruncate(file->fd, 0) || lseek(file->fd, 0, SEEK_SET) < 0)
        file->error = errno;
}

/* Called by libcurl. In an event loop it must not wait, which a write to a file
 * does for a moment at most. */
static size_t
write_file(char *data, size_t one, size_t size, void *to)
{
    struct file *file = to;
    size_t written = 0;
    (void)one;
    while (written < size && !file->error) {
        ssize_t n = write(file->fd, data + written, size - written);
        if (n < 0 && errno != EINTR)
            file->error = errno;
        else if (n > 0)
            written += (size_t)n;
    }
    file->bytes += written;
    return file->error ? 0 : size; /* 0: libcurl breaks off */
}

static int
download_to(cf_call *call, const struct download *download, int fd)
{
    struct file file = {.fd = fd};
    struct downloaded result;
    CURL *easy = transfer_easy(download->text, "fetch");
    if (!easy)
        return cf_fail(call, CF_ENOMEM, "no memory");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, write_file);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &file);
    transfer_run(
        call, easy, &download->limits, begin_file, &file, &result.transfer);
    curl_easy_cleanup(easy);
    result.bytes = file.bytes;
    if (file.error)
        return cf_fail(call, file.error, "%s", strerror(file.error));
    return (int)cf_return(call, &result, sizeof result);
}

int
download_file(cf_call *call, const void *arg, size_t arg_size)
{
    const struct download *download = arg;
    const char *path = download->text + download->url_size;
    (void)arg_size;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return cf_fail(call, errno, "%s: %s", path, strerror(errno));
    int rc = download_to(call, download, fd);
    if (close(fd) && !rc)
        rc = cf_fail(call, errno, "%s", strerror(errno));
    return rc;
}
