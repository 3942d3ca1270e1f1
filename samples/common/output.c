/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
complain(const struct output *output, int err)
{
    fprintf(stderr,
            "%s: %s: %s\n",
            output->program,
            output->path ? output->path : "standard output",
            strerror(err));
    return false;
}

/* As open() would have made it: mkstemp() lets only the user read it. */
static void
set_mode(int fd)
{
    mode_t mask = umask(0);
    (void)umask(mask);
    (void)fchmod(fd, 0666 & ~mask);
}

bool
output_open(struct output *output, const char *program, const char *path)
{
    *output = (struct output){.program = program, .file = stdout};
    if (strcmp(path, "-") == 0)
        return true;
    output->path = path;
    output->file = NULL;
    if (asprintf(&output->temporary, "%s.XXXXXX", path) < 0) {
        output->temporary = NULL;
        return complain(output, ENOMEM);
    }
    int fd = mkstemp(output->temporary);
    if (fd < 0) {
        int err = errno;
        free(output->temporary);
        return complain(output, err);
    }
    set_mode(fd);
    output->file = fdopen(fd, "wb");
    if (!output->file) {
        int err = errno;
        (void)close(fd);
        output_abandon(output);
        return complain(output, err);
    }
    return true;
}

/* Returns 0 or an errno. */
static int
give_name(const struct output *output)
{
    if (output->keep) {
        if (link(output->temporary, output->path) == 0) {
            (void)unlink(output->temporary);
            return 0;
        }
        bool has_links = errno != EPERM && errno != EOPNOTSUPP;
        if (has_links) /* the file system has them */
            return errno;
    }
    return rename(output->temporary, output->path) ? errno : 0;
}

bool
output_finish(struct output *output)
{
    int err = ferror(output->file) ? EIO : 0;
    if (!output->path)
        return fflush(stdout) || err ? complain(output, err ? err : errno)
                                     : true;
    if (fclose(output->file) && !err)
        err = errno;
    output->file = NULL;
    if (!err)
        err = give_name(output);
    if (err)
        output_abandon(output);
    else
        free(output->temporary);
    return err ? complain(output, err) : true;
}

void
output_abandon(struct output *output)
{
    if (!output->path)
        return;
    if (output->file)
        (void)fclose(output->file);
    (void)unlink(output->temporary);
    free(output->temporary);
}
