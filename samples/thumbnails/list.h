/* SPDX-License-Identifier: MIT */
/* The pictures, and where their thumbnails go. */
#ifndef THUMBNAILS_LIST_H
#define THUMBNAILS_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct picture {
    char *path;
    char *target; /* the thumbnail's path */
};

struct list {
    const char *output; /* the folder of all targets */
    struct picture *pictures;
    size_t count, room;
    size_t errors; /* each has been reported on standard error */
};

/* Adds a file; or of a folder and those below it all files with names of JPEG
 * or PNG files, but for what is in the output folder. Below that, a target has
 * the path that its picture has below the folder. false: no memory. */
bool list_add(struct list *list, const char *path);

/* Sorts by target. Reports and leaves out pictures with the target of another,
 * and those whose target is there already. replace: the latter only if it is
 * the picture itself. */
void list_check(struct list *list, bool replace);

void list_fini(struct list *list);

#endif
