/* SPDX-License-Identifier: MIT */
#include "room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_SIZE = 2048 };

struct room {
    char name[NAME_MAX_SIZE + 1];
    struct member *members;
    size_t count;
    struct line *history[HISTORY]; /* a ring; NULL: not yet */
    size_t next_history;           /* where the next one goes */
    struct room *next;
};

bool
is_name(const char *text, size_t size)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-_";
    if (size == 0 || size > NAME_MAX_SIZE)
        return false;
    for (size_t i = 0; i < size; i++)
        if (!text[i] || !strchr(letters, text[i]))
            return false;
    return true;
}

struct member *
house_find(const struct house *house, const char *name)
{
    for (struct room *room = house->rooms; room; room = room->next) {
        for (struct member *m = room->members; m; m = m->next)
            if (strcmp(m->name, name) == 0)
                return m;
    }
    return NULL;
}

/* To all members; ends the caller's use of the line. */
static void
tell_all(const struct room *room, struct line *line)
{
    for (struct member *m = room->members; m; m = m->next)
        outbox_put(m->out, line);
    line_drop(line);
}

static void
tell(const struct member *member, struct line *line)
{
    outbox_put(member->out, line);
    line_drop(line);
}

static struct room *
find_or_make(struct house *house, const char *name)
{
    struct room *room = house->rooms;
    while (room && strcmp(room->name, name) != 0)
        room = room->next;
    if (room)
        return room;
    room = calloc(1, sizeof *room);
    if (!room)
        return NULL;
    memcpy(room->name, name, strlen(name) + 1);
    room->next = house->rooms;
    house->rooms = room;
    return room;
}

static void
unmake(struct house *house, struct room *room)
{
    struct room **link = &house->rooms;
    while (*link && *link != room)
        link = &(*link)->next;
    *link = room->next;
    for (size_t i = 0; i < HISTORY; i++)
        line_drop(room->history[i]);
    free(room);
}

bool
room_enter(struct house *house, struct member *member, const char *name)
{
    struct room *room = find_or_make(house, name);
    if (room == member->room)
        return true;
    room_leave(house, member);
    if (!room)
        return false;
    for (size_t i = 0; i < HISTORY; i++) {
        struct line *said = room->history[(room->next_history + i) % HISTORY];
        if (said)
            outbox_put(member->out, said);
    }
    member->room = room;
    member->prev = NULL;
    member->next = room->members;
    if (room->members)
        room->members->prev = member;
    room->members = member;
    room->count++;
    house->members++;
    tell_all(room, line_new("* %s is in %s", member->name, room->name));
    return true;
}

void
room_leave(struct house *house, struct member *member)
{
    struct room *room = member->room;
    if (!room)
        return;
    if (member->prev)
        member->prev->next = member->next;
    else
        room->members = member->next;
    if (member->next)
        member->next->prev = member->prev;
    member->room = NULL;
    house->members--;
    if (--room->count == 0)
        unmake(house, room);
    else
        tell_all(room, line_new("* %s has left", member->name));
}

void
room_say(struct house *house,
         struct member *member,
         const char *text,
         size_t size)
{
    struct room *room = member->room;
    struct line *line = line_new("<%s> %.*s", member->name, (int)size, text);
    if (line) {
        line_drop(room->history[room->next_history]);
        room->history[room->next_history] = line;
        room->next_history = (room->next_history + 1) % HISTORY;
        line->users++;
    }
    house->said++;
    house->sent_to += room->count;
    tell_all(room, line);
}

/* One line of words; what does not fit is left out. */
struct list {
    char text[LIST_SIZE];
    size_t size;
};

static void
add(struct list *list, const char *word, size_t count)
{
    char *end = list->text + list->size;
    size_t room = sizeof list->text - list->size;
    int size = count ? snprintf(end, room, " %s:%zu", word, count)
                     : snprintf(end, room, " %s", word);
    if (size > 0 && (size_t)size < room)
        list->size += (size_t)size;
    else
        *end = 0;
}

void
room_tell_names(const struct member *member)
{
    struct list names = {.size = 0};
    for (struct member *m = member->room->members; m; m = m->next)
        add(&names, m->name, 0);
    tell(member, line_new("* %zu:%s", member->room->count, names.text));
}

void
house_tell_rooms(const struct house *house, const struct member *member)
{
    struct list names = {.size = 0};
    for (struct room *room = house->rooms; room; room = room->next)
        add(&names, room->name, room->count);
    tell(member, line_new("* rooms:%s", names.text));
}
