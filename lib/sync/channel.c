/* SPDX-License-Identifier: MIT */
/*
 * A channel: see cfutures/channel.h, and README.md. What is not atomic here is
 * set once.
 */
#include <cfutures/channel.h>

#include "lib/base/assert.h"
#include "lib/base/einval.h"
#include "lib/base/size.h"
#include "lib/executor/budget.h"
#include "lib/future/callback.h"
#include "lib/sync/line.h"

#include <string.h>

enum { SENDERS, RECEIVERS };

struct cf_channel {
    struct cf__meeting meeting;
    size_t item_size, capacity;

    /* Guarded by the meeting's lock. Each changes by one store, behind what it
     * tells of: so a fork's child finds whole items. */
    atomic_bool closed;
    _Atomic uint64_t put;   /* items that ever came to the buffer */
    _Atomic uint64_t taken; /* ... and that left it */

    _Alignas(max_align_t) unsigned char buffer[]; /* a ring of capacity items */
};

cf_err
cf_channel_create(size_t item_size, size_t capacity, cf_channel **out)
{
    size_t size;
    if (!out)
        return cf__einval(__func__, "out is NULL");
    if (item_size > CF__SIZE_MAX || capacity > CF__SIZE_MAX ||
        __builtin_mul_overflow(item_size, capacity, &size) ||
        __builtin_add_overflow(size, sizeof(cf_channel), &size) ||
        size > CF__SIZE_MAX) {
        return CF_ETOOBIG;
    }
    cf_channel *channel = cf__meeting_new(size);
    if (!channel)
        return CF_ENOMEM;
    channel->item_size = item_size;
    channel->capacity = capacity;
    *out = channel;
    return CF_OK;
}

void
cf_channel_destroy(cf_channel *channel)
{
    if (channel) {
        cf__meeting_destroy(
            &channel->meeting,
            "cf_channel_destroy(): someone waits for the channel");
    }
}

static struct cf__in_line *
first_locked(cf_channel *channel, int line)
{
    return cf__line_first(&channel->meeting.lines[line]);
}

static size_t
count_locked(const cf_channel *channel)
{
    return (size_t)(cf_load_relaxed(&channel->put) -
                    cf_load_relaxed(&channel->taken));
}

static void
copy(const cf_channel *channel, void *to, const void *from)
{
    if (channel->item_size)
        memcpy(to, from, channel->item_size);
}

static void *
slot(cf_channel *channel, uint64_t number)
{
    return channel->buffer +
           (size_t)(number % channel->capacity) * channel->item_size;
}

static void
put_locked(cf_channel *channel, const void *item)
{
    uint64_t put = cf_load_relaxed(&channel->put); /* locked */
    copy(channel, slot(channel, put), item);
    cf_store_release(&channel->put, put + 1); /* pairs with fork */
}

static void
take_locked(cf_channel *channel, void *out)
{
    uint64_t taken = cf_load_relaxed(&channel->taken); /* locked */
    copy(channel, out, slot(channel, taken));
    cf_store_release(&channel->taken, taken + 1); /* pairs with fork */
}

/* CF_OK, CF_EDONE, or CF_EAGAIN: there is no room. */
static cf_err
send_locked(cf_channel *channel, const void *item)
{
    if (cf_load_relaxed(&channel->closed)) /* locked */
        return CF_EDONE;
    struct cf__in_line *receiver = first_locked(channel, RECEIVERS);
    if (receiver) { /* so the buffer is empty */
        cf__assert(count_locked(channel) == 0);
        copy(channel, receiver->item, item);
        cf__line_wake(receiver, CF_OK);
        return CF_OK;
    }
    if (count_locked(channel) == channel->capacity)
        return CF_EAGAIN;
    cf__assert(!first_locked(channel, SENDERS));
    put_locked(channel, item);
    return CF_OK;
}

/* CF_OK, CF_EDONE, or CF_EAGAIN: there is no item. */
static cf_err
receive_locked(cf_channel *channel, void *out)
{
    struct cf__in_line *sender = first_locked(channel, SENDERS);
    if (count_locked(channel) > 0) {
        cf__assert(!first_locked(channel, RECEIVERS));
        take_locked(channel, out);
        if (sender)
            put_locked(channel, sender->item);
    } else if (sender) { /* a buffer of no item */
        cf__assert(channel->capacity == 0);
        copy(channel, out, sender->item);
    } else {
        return cf_load_relaxed(&channel->closed) /* locked */
                   ? CF_EDONE
                   : CF_EAGAIN;
    }
    if (sender)
        cf__line_wake(sender, CF_OK);
    return CF_OK;
}

/* Sends item, or receives into it; if that has to wait, waits in a line. */
static cf_err
pass(cf_channel *channel, int line, void *item, int64_t timeout_ns)
{
    struct cf__in_line self = {.item = item};
    int64_t deadline_ns = cf__deadline(timeout_ns);
    struct cf__due *due = timeout_ns ? cf__callbacks_pause() : NULL;
    cf__meeting_enter(&channel->meeting);
    cf_err err = line == SENDERS ? send_locked(channel, item)
                                 : receive_locked(channel, item);
    bool waits = err == CF_EAGAIN;
    if (waits) {
        err = timeout_ns ? cf__line_wait(&channel->meeting,
                                         &channel->meeting.lines[line],
                                         &self,
                                         deadline_ns)
                         : CF_ETIMEDOUT;
    }
    cf__meeting_leave(&channel->meeting);
    cf__callbacks_resume(due);
    if (!waits && !err && timeout_ns)
        cf__budget_spend();
    return err;
}

/* A channel of items without bytes needs no pointer to one. */
static bool
is_item(const cf_channel *channel, const void *item)
{
    return item || channel->item_size == 0;
}

cf_err
cf_channel_send(cf_channel *channel, const void *item, int64_t timeout_ns)
{
    const char *why = !channel                         ? "channel is NULL"
                      : !is_item(channel, item)        ? "item is NULL"
                      : !cf__timeout_valid(timeout_ns) ? CF__BAD_TIMEOUT
                                                       : NULL;
    if (why)
        return cf__einval(__func__, why);
    /* A sender's item is only read. */
    return pass(channel, SENDERS, (void *)item, timeout_ns);
}

cf_err
cf_channel_receive(cf_channel *channel, int64_t timeout_ns, void *out)
{
    const char *why = !channel                         ? "channel is NULL"
                      : !is_item(channel, out)         ? "out is NULL"
                      : !cf__timeout_valid(timeout_ns) ? CF__BAD_TIMEOUT
                                                       : NULL;
    if (why)
        return cf__einval(__func__, why);
    return pass(channel, RECEIVERS, out, timeout_ns);
}

cf_err
cf_channel_try_send(cf_channel *channel, const void *item)
{
    if (!channel || !is_item(channel, item))
        return cf__einval(__func__,
                          !channel ? "channel is NULL" : "item is NULL");
    cf__meeting_enter(&channel->meeting);
    cf_err err = send_locked(channel, item);
    cf__meeting_leave(&channel->meeting);
    return err;
}

cf_err
cf_channel_try_receive(cf_channel *channel, void *out)
{
    if (!channel || !is_item(channel, out))
        return cf__einval(__func__,
                          !channel ? "channel is NULL" : "out is NULL");
    cf__meeting_enter(&channel->meeting);
    cf_err err = receive_locked(channel, out);
    cf__meeting_leave(&channel->meeting);
    return err;
}

cf_err
cf_channel_close(cf_channel *channel)
{
    if (!channel)
        return cf__einval(__func__, "channel is NULL");
    struct cf__meeting *meeting = &channel->meeting;
    cf__meeting_enter(meeting);
    cf_store_relaxed(&channel->closed, true); /* locked */
    cf__line_wake_all(meeting, &meeting->lines[SENDERS], CF_EDONE);
    cf__line_wake_all(meeting, &meeting->lines[RECEIVERS], CF_EDONE);
    cf__meeting_leave(meeting);
    return CF_OK;
}

size_t
cf_channel_count(cf_channel *channel)
{
    if (!channel)
        return 0;
    cf__meeting_enter(&channel->meeting);
    size_t count = count_locked(channel);
    cf__meeting_leave(&channel->meeting);
    return count;
}
