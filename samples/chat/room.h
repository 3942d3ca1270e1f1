/* SPDX-License-Identifier: MIT */
/*
 * Rooms: who is in them, what was said last, and who hears of it. A room lives
 * as long as somebody is in it.
 */
#ifndef CHAT_ROOM_H
#define CHAT_ROOM_H

#include "outbox.h"

enum { NAME_MAX_SIZE = 24, HISTORY = 20 };

struct room;

struct member {
    char name[NAME_MAX_SIZE + 1];
    struct outbox *out;
    struct room *room; /* NULL: in none */
    struct member *next, *prev;
};

/* All rooms of a server. */
struct house {
    struct room *rooms;
    uint64_t members;       /* now */
    uint64_t said, sent_to; /* lines; and to how many members in all */
};

/* 1 to NAME_MAX_SIZE letters, digits, '-' and '_'. */
bool is_name(const char *text, size_t size);

struct member *house_find(const struct house *house, const char *name);

/* Leaves the room that the member is in, and enters that one: the others hear
 * of it, and the member gets what was said last. false: no memory, and the
 * member is in no room. */
bool room_enter(struct house *house, struct member *member, const char *name);
void room_leave(struct house *house, struct member *member);

void room_say(struct house *house,
              struct member *member,
              const char *text,
              size_t size);

/* Tell the member who is in its room, and which rooms there are. */
void room_tell_names(const struct member *member);
void house_tell_rooms(const struct house *house, const struct member *member);

#endif
