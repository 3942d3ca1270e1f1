/* SPDX-License-Identifier: MIT */
#include "walk.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void
complain(struct walk *walk, const char *path, int error)
{
    fprintf(stderr, "%s: %s: %s\n", walk->program, path, strerror(error));
    walk->errors++;
}

/* NULL: there are no more. Also if an error ends the walk, after a sentence. */
static FTSENT *
next(struct walk *walk, FTS *files, const char *path)
{
    errno = 0;
    FTSENT *at = fts_read(files);
    if (!at && errno)
        complain(walk, path, errno);
    return at;
}

bool
walk_files(struct walk *walk, const char *path)
{
    char *paths[] = {(char *)path, NULL};
    struct stat out;
    bool has_out = walk->leave_out && stat(walk->leave_out, &out) == 0;
    FTS *files = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    bool memory = files != NULL;
    for (FTSENT *at; memory && (at = next(walk, files, path)) != NULL;) {
        switch (at->fts_info) {
        case FTS_F:
            memory =
                walk->use(walk->data, at->fts_path, at->fts_statp->st_size);
            break;
        case FTS_D:
            if (has_out && at->fts_statp->st_dev == out.st_dev &&
                at->fts_statp->st_ino == out.st_ino)
                (void)fts_set(files, at, FTS_SKIP);
            break;
        case FTS_DNR:
        case FTS_ERR:
        case FTS_NS:
            complain(walk, at->fts_path, at->fts_errno);
            break;
        default: /* links, devices */
            break;
        }
    }
    if (files)
        (void)fts_close(files);
    return memory;
}
