/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include "../common/walk.h"

#include <stdlib.h>
#include <string.h>

static bool
add_file(void *data, const char *path, off_t size)
{
    struct tree *tree = data;
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

bool
tree_add(struct tree *tree, const char *path)
{
    struct walk walk = {.program = "sumtree", .use = add_file, .data = tree};
    bool memory = walk_files(&walk, path);
    tree->errors += walk.errors;
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
