/* SPDX-License-Identifier: MIT */
/* The files below a folder. */
#ifndef COMMON_WALK_H
#define COMMON_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct walk {
    const char *program;   /* for what goes to standard error */
    const char *leave_out; /* a folder; NULL: none */
    /* Is given each file. false: no memory. */
    bool (*use)(void *data, const char *path, off_t size);
    void *data;    /* for use */
    size_t errors; /* each has been reported on standard error */
};

/* Visits the regular files below path, or path itself if it is one. Symbolic
 * links are not followed. false: no memory. */
bool walk_files(struct walk *walk, const char *path);

#endif
