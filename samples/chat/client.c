/* SPDX-License-Identifier: MIT */
/*
 * A client has two tasks. One reads what it says; the other writes what is in
 * its outbox. The reading one ends last, and frees everything.
 */
#include "client.h"

#include <string.h>

enum { LINE_LIMIT = 1000 };           /* bytes */
#define GOODBYE_TIMEOUT CF_SECONDS(2) /* for the last lines */

struct client {
    struct server *server;
    cf_stream *stream;
    struct member member;
    struct outbox out;
    cf_scope *talk; /* around all that it reads */
};

static void
say(struct client *c, struct line *line)
{
    outbox_put(&c->out, line);
    line_drop(line);
}

/* The task that writes. If it fails, nobody is there to talk to. */
static int
write_all(cf_call *call, const void *arg, size_t arg_size)
{
    struct client *c;
    (void)call;
    memcpy(&c, arg, arg_size);
    if (outbox_write(&c->out, c->stream))
        cf_scope_cancel(c->talk); /* it is open: its owner waits for us */
    return 0;
}

/* The text of a line, without its end. */
static cf_bytes
without_end(cf_bytes line)
{
    const char *text = line.data;
    while (line.size > 0 &&
           (text[line.size - 1] == '\n' || text[line.size - 1] == '\r'))
        line.size--;
    return line;
}

/* Waits for a line. Asks a silent client whether it is there. */
static cf_err
hear(struct client *c, cf_bytes *line)
{
    cf_err err = CF_ETIMEDOUT;
    for (int i = 0; i < 2 && err == CF_ETIMEDOUT; i++) {
        if (i > 0)
            say(c, line_new("PING"));
        err = cf_stream_read_line(
            c->stream, LINE_LIMIT, c->server->ping_ns, line);
    }
    if (err == CF_ETIMEDOUT)
        say(c, line_new("* you are silent: good bye"));
    else if (err == CF_ETOOBIG)
        say(c, line_new("! a line has at most %d bytes", LINE_LIMIT));
    else if (err == CF_EINTERRUPTED)
        say(c, line_new("* the server ends"));
    *line = without_end(*line);
    return err;
}

/* The first line is the client's name. */
static bool
log_in(struct client *c)
{
    cf_bytes line;
    say(c, line_new("* your name?"));
    for (;;) {
        if (hear(c, &line))
            return false;
        if (!is_name(line.data, line.size)) {
            say(c,
                line_new("! a name has 1 to %d letters, digits, - and _",
                         NAME_MAX_SIZE));
            continue;
        }
        memcpy(c->member.name, line.data, line.size);
        c->member.name[line.size] = 0;
        if (!house_find(&c->server->house, c->member.name))
            return true;
        say(c, line_new("! there is a %s already", c->member.name));
    }
}

/* line is the word, or begins with it and a space. */
static bool
begins(cf_bytes line, const char *word)
{
    size_t size = strlen(word);
    const char *text = line.data;
    return line.size >= size && memcmp(text, word, size) == 0 &&
           (line.size == size || text[size] == ' ');
}

static bool
join(struct client *c, const char *name, size_t size)
{
    char copy[NAME_MAX_SIZE + 1];
    if (!is_name(name, size)) {
        say(c, line_new("! that is no name of a room"));
        return true;
    }
    memcpy(copy, name, size);
    copy[size] = 0;
    return room_enter(&c->server->house, &c->member, copy);
}

/* false: it is to end. */
static bool
obey(struct client *c, cf_bytes line)
{
    const char *text = line.data;
    if (line.size == 0 || begins(line, "/pong"))
        return true;
    if (text[0] != '/')
        room_say(&c->server->house, &c->member, text, line.size);
    else if (begins(line, "/quit"))
        return false;
    else if (begins(line, "/who"))
        room_tell_names(&c->member);
    else if (begins(line, "/rooms"))
        house_tell_rooms(&c->server->house, &c->member);
    else if (begins(line, "/join") && line.size > 6)
        return join(c, text + 6, line.size - 6);
    else
        say(c, line_new("! there are /join ROOM, /who, /rooms and /quit"));
    return true;
}

static void
talk(struct client *c)
{
    cf_bytes line;
    if (!log_in(c) || !room_enter(&c->server->house, &c->member, "lobby"))
        return;
    while (hear(c, &line) == CF_OK && obey(c, line))
        continue;
    room_leave(&c->server->house, &c->member);
}

/* The last lines get some time, also if the task has been told to stop. */
static void
end_writing(cf_call *call, struct client *c, cf_future *writer)
{
    outbox_close(&c->out);
    cf_shield_begin(call);
    if (cf_future_wait(writer, GOODBYE_TIMEOUT)) {
        (void)cf_future_interrupt(writer);
        (void)cf_future_wait(writer, CF_FOREVER);
    }
    cf_shield_end(call);
    cf_future_unref(writer);
}

/* Reads on until the client closes: while something is unread, closing would
 * reset the connection, and the client might lose the last lines. */
static void
linger(cf_call *call, struct client *c)
{
    char buf[4096];
    size_t got;
    cf_scope *limit;
    cf_shield_begin(call);
    if (cf_stream_shutdown(c->stream) == CF_OK &&
        cf_scope_begin(call, GOODBYE_TIMEOUT, &limit) == CF_OK) {
        while (!cf_call_canceled(call) &&
               !cf_stream_read(c->stream, buf, sizeof buf, CF_FOREVER, &got))
            continue;
        (void)cf_scope_end(limit);
    }
    cf_shield_end(call);
}

static cf_err
welcome(cf_call *call, struct client *c)
{
    cf_future *writer;
    cf_err err = cf_scope_begin(call, CF_FOREVER, &c->talk);
    if (err)
        return err;
    err = cf_submit(cf_call_executor(call), write_all, &c, sizeof c, &writer);
    if (!err) {
        talk(c);
        end_writing(call, c, writer);
        linger(call, c);
    }
    (void)cf_scope_end(c->talk);
    return err;
}

int
client_serve(cf_call *call, const void *arg, size_t arg_size)
{
    const struct guest *guest = arg;
    struct client c = {.server = guest->server, .stream = guest->stream};
    (void)arg_size;
    c.member.out = &c.out;
    c.server->clients++;
    cf_err err = outbox_init(&c.out, c.server->queue);
    if (!err) {
        err = welcome(call, &c);
        c.server->dropped += c.out.total_dropped;
        outbox_fini(&c.out);
    }
    cf_stream_close(c.stream);
    return err ? cf_fail(call, (int)err, "%s", cf_strerror(err)) : 0;
}
