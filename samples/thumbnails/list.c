/* SPDX-License-Identifier: MIT */
#include "list.h"

#include "../common/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* Of one list_add(). */
struct visit {
    struct list *list;
    const char *from; /* the folder, or the file */
};

static bool
has_picture_name(const char *path)
{
    static const char *const ends[] = {".jpg", ".jpeg", ".png"};
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t end = strlen(ends[i]);
        if (length > end && strcasecmp(path + length - end, ends[i]) == 0)
            return true;
    }
    return false;
}

static bool
make_room(struct list *list)
{
    if (list->count < list->room)
        return true;
    size_t room = list->room ? 2 * list->room : 256;
    struct picture *pictures =
        realloc(list->pictures, room * sizeof *list->pictures);
    if (!pictures)
        return false;
    list->pictures = pictures;
    list->room = room;
    return true;
}

static void
free_picture(const struct picture *picture)
{
    free(picture->path);
    free(picture->target);
}

/* In the output folder: the name of a file that was named, the path below the
 * folder of others. NULL: no memory. */
static char *
make_target(const struct visit *visit, const char *path)
{
    const char *last = strrchr(path, '/');
    const char *name = path + strlen(visit->from);
    if (!*name)
        name = last ? last : path;
    name += strspn(name, "/");
    size_t room = strlen(visit->list->output) + strlen(name) + sizeof "/";
    char *target = malloc(room);
    if (target)
        (void)snprintf(target, room, "%s/%s", visit->list->output, name);
    return target;
}

/* The use() of the walk. */
static bool
add_file(void *data, const char *path, off_t size)
{
    const struct visit *visit = data;
    struct list *list = visit->list;
    bool named = strcmp(path, visit->from) == 0;
    (void)size;
    if (!named && !has_picture_name(path))
        return true;
    if (!make_room(list))
        return false;
    struct picture *picture = &list->pictures[list->count];
    *picture = (struct picture){strdup(path), make_target(visit, path)};
    if (!picture->path || !picture->target) {
        free_picture(picture);
        return false;
    }
    list->count++;
    return true;
}

bool
list_add(struct list *list, const char *path)
{
    struct visit visit = {.list = list, .from = path};
    struct walk walk = {.program = "thumbnails",
                        .leave_out = list->output,
                        .use = add_file,
                        .data = &visit};
    bool memory = walk_files(&walk, path);
    list->errors += walk.errors;
    return memory;
}

/* --- targets -------------------------------------------------------------- */

static bool
refuse(struct list *list, const struct picture *picture, const char *why)
{
    fprintf(stderr,
            "thumbnails: %s: %s: %s\n",
            picture->path,
            picture->target,
            why);
    list->errors++;
    return false;
}

/* previous has been kept; NULL: it is the first. */
static bool
check(struct list *list,
      const struct picture *previous,
      const struct picture *picture,
      bool replace)
{
    struct stat of_target, of_picture;
    if (previous && strcmp(previous->target, picture->target) == 0)
        return refuse(list, picture, "is that of another picture");
    if (stat(picture->target, &of_target))
        return true;
    if (!replace)
        return refuse(list, picture, "is there already");
    if (stat(picture->path, &of_picture) == 0 &&
        of_picture.st_dev == of_target.st_dev &&
        of_picture.st_ino == of_target.st_ino)
        return refuse(list, picture, "is the picture itself");
    return true;
}

static int
compare(const void *a, const void *b)
{
    const struct picture *first = a, *second = b;
    int order = strcmp(first->target, second->target);
    return order ? order : strcmp(first->path, second->path);
}

void
list_check(struct list *list, bool replace)
{
    size_t kept = 0;
    if (list->count)
        qsort(list->pictures, list->count, sizeof *list->pictures, compare);
    for (size_t i = 0; i < list->count; i++) {
        struct picture picture = list->pictures[i];
        const struct picture *last = kept ? &list->pictures[kept - 1] : NULL;
        if (check(list, last, &picture, replace))
            list->pictures[kept++] = picture;
        else
            free_picture(&picture);
    }
    list->count = kept;
}

void
list_fini(struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free_picture(&list->pictures[i]);
    free(list->pictures);
}
