/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tree.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool
add_file(struct tree *tree, const char *path, off_t size)
{
    if (tree->count == tree->room) {
        size_t room = tree->room ? 2 * tree->room : 256;
        struct file *files = realloc(tree->files, room * sizeof *files);
        if (!files)
            return false;
        tree->files = files;
        tree->room = room;
    }
    struct file *file = &tree->files[tree->count];
    *file = (struct file){.path = strdup(path), .size = size};
    tree->count += file->path != NULL;
    return file->path != NULL;
}

static void
complain(struct tree *tree, const char *path, int error)
{
    fprintf(stderr, "sumtree: %s: %s\n", path, strerror(error));
    tree->errors++;
}

bool
tree_add(struct tree *tree, const char *path)
{
    char *paths[] = {(char *)path, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    bool memory = walk != NULL;
    for (FTSENT *at; memory && (at = fts_read(walk)) != NULL;) {
        switch (at->fts_info) {
        case FTS_F:
            memory = add_file(tree, at->fts_path, at->fts_statp->st_size);
            break;
        case FTS_DNR:
        case FTS_ERR:
        case FTS_NS:
            complain(tree, at->fts_path, at->fts_errno);
            break;
        default: /* folders, links, devices */
            break;
        }
    }
    if (walk)
        (void)fts_close(walk);
    return memory;
}

static int
compare_sizes(const void *a, const void *b)
{
    off_t first = ((const struct file *)a)->size;
    off_t second = ((const struct file *)b)->size;
    return (first < second) - (first > second);
}

static int
compare_paths(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->path,
                  ((const struct file *)b)->path);
}

void
tree_sort_by_size(struct tree *tree)
{
    if (tree->count)
        qsort(tree->files, tree->count, sizeof *tree->files, compare_sizes);
}

void
tree_sort_by_path(struct tree *tree)
{
    if (tree->count)
        qsort(tree->files, tree->count, sizeof *tree->files, compare_paths);
}

void
tree_fini(struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        free(tree->files[i].path);
    free(tree->files);
}
