/* SPDX-License-Identifier: MIT */
/* Sockets with an address of their own: see socket.h. */
#include "event_loop/socket.h"

#include "lib/base/cancel.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void
cf__socket_close(int fd)
{
    int error = errno;
    cf__close(fd);
    errno = error;
}

/* Of the file at path, which has just been made. */
static void
note_path(const struct cf__address *address, struct cf__socket_path *path)
{
    struct stat file;
    const char *text = address->as.path.sun_path;
    path->text[0] = 0;
    if (address->as.any.sa_family != AF_UNIX || !text[0] ||
        stat(text, &file) != 0)
        return;
    memcpy(path->text, text, sizeof path->text);
    path->device = file.st_dev;
    path->node = file.st_ino;
}

void
cf__socket_unlink(const struct cf__socket_path *path)
{
    struct stat file;
    if (path->text[0] && stat(path->text, &file) == 0 &&
        file.st_dev == path->device && file.st_ino == path->node)
        (void)unlink(path->text);
}

/* A program that ended without removing its socket has left it: connecting to
 * it is refused. */
static bool
is_stale(const struct cf__address *address, int type)
{
    struct stat file;
    const char *path = address->as.path.sun_path;
    if (address->as.any.sa_family != AF_UNIX || !path[0] ||
        lstat(path, &file) != 0 || !S_ISSOCK(file.st_mode))
        return false;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool refused = connect(fd, &address->as.any, address->size) != 0 &&
                   errno == ECONNREFUSED;
    cf__close(fd);
    return refused;
}

static bool
bind_to(int fd, const struct cf__address *address, int type)
{
    if (bind(fd, &address->as.any, address->size) == 0)
        return true;
    if (errno != EADDRINUSE)
        return false;
    bool stale = is_stale(address, type);
    errno = EADDRINUSE;
    return stale && unlink(address->as.path.sun_path) == 0 &&
           bind(fd, &address->as.any, address->size) == 0;
}

static bool
set_options(int fd, const struct cf__address *address, int type, bool reuse)
{
    int on = 1;
    if (address->as.any.sa_family == AF_UNIX)
        return true;
    if (type == SOCK_STREAM &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        return false;
    return !reuse ||
           setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0;
}

cf_err
cf__socket_bind(const struct cf__address *address,
                int type,
                bool reuse_port,
                int *fd,
                struct cf__socket_path *path)
{
    *fd = socket(
        address->as.any.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0)
        return CF_ESYS;
    if (set_options(*fd, address, type, reuse_port) &&
        bind_to(*fd, address, type)) {
        note_path(address, path);
        return CF_OK;
    }
    cf__socket_close(*fd);
    return CF_ESYS;
}

cf_err
cf__socket_name(int fd, const char *scheme, char *text, size_t size)
{
    struct cf__address address = {.size = sizeof address.as};
    *text = 0;
    if (getsockname(fd, &address.as.any, &address.size) != 0)
        return CF_ESYS;
    return cf__address_text(&address, scheme, text, size);
}
