/* SPDX-License-Identifier: MIT */
#include "outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 16384, /* bytes that are written at once, if there are so many */
    NOTICE = 80    /* bytes of room for the one about dropped lines */
};
#define WRITE_TIMEOUT CF_SECONDS(30) /* after that the client is gone */

cf_err
outbox_init(struct outbox *box, size_t capacity)
{
    *box = (struct outbox){.capacity = capacity};
    box->lines = calloc(capacity, sizeof *box->lines);
    if (!box->lines)
        return CF_ENOMEM;
    cf_err err = cf_event_create(&box->changed);
    if (err)
        free(box->lines);
    return err;
}

/* The caller becomes its user. */
static struct line *
take(struct outbox *box)
{
    struct line *line = box->lines[box->first];
    box->first = (box->first + 1) % box->capacity;
    box->count--;
    return line;
}

void
outbox_fini(struct outbox *box)
{
    while (box->count > 0)
        line_drop(take(box));
    free(box->lines);
    cf_event_destroy(box->changed);
}

void
outbox_put(struct outbox *box, struct line *line)
{
    if (!line || box->count == box->capacity) {
        box->dropped++;
        box->total_dropped++;
        return;
    }
    line->users++;
    box->lines[(box->first + box->count) % box->capacity] = line;
    box->count++;
    (void)cf_event_set(box->changed);
}

void
outbox_close(struct outbox *box)
{
    box->closed = true;
    (void)cf_event_set(box->changed);
}

/* Fills buf with whole lines, one at least. Returns how many bytes these are.
 */
static size_t
gather(struct outbox *box, char *buf)
{
    size_t size = 0;
    if (box->dropped > 0) {
        size = (size_t)snprintf(buf,
                                NOTICE,
                                "! %zu lines were dropped: you read too "
                                "slowly\n",
                                box->dropped);
        box->dropped = 0;
    }
    while (box->count > 0 &&
           size + box->lines[box->first]->size <= (size_t)BATCH) {
        struct line *line = take(box);
        memcpy(buf + size, line->text, line->size);
        size += line->size;
        line_drop(line);
    }
    return size;
}

cf_err
outbox_write(struct outbox *box, cf_stream *stream)
{
    char buf[BATCH];
    for (;;) {
        while (box->count > 0 || box->dropped > 0) {
            size_t size = gather(box, buf);
            cf_err err =
                cf_stream_write(stream, buf, size, WRITE_TIMEOUT, NULL);
            if (err)
                return err;
        }
        if (box->closed)
            return CF_OK;
        (void)cf_event_clear(box->changed);
        cf_err err = cf_event_wait(box->changed, CF_FOREVER);
        if (err)
            return err;
    }
}
