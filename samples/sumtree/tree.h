/* SPDX-License-Identifier: MIT */
/* The files below some folders. */
#ifndef SUMTREE_TREE_H
#define SUMTREE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { DIGEST = 32 }; /* bytes */

struct file {
    char *path;
    off_t size;
    bool summed; /* sum is there */
    unsigned char sum[DIGEST];
};

struct tree {
    struct file *files;
    size_t count, room;
    size_t errors; /* each has been reported on standard error */
};

/* Adds the regular files below path, or path itself if it is one. Symbolic
 * links are not followed. false: no memory. */
bool tree_add(struct tree *tree, const char *path);

void tree_sort_by_size(struct tree *tree); /* large ones first */
void tree_sort_by_path(struct tree *tree);

void tree_fini(struct tree *tree);

#endif
