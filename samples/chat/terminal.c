/* SPDX-License-Identifier: MIT */
/*
 * A client for a terminal: what is typed goes to the server, and what the
 * server says is printed. Two tasks, one for each direction.
 */
#include "../common/command_line.h"
#include "../common/run_task.h"

#include <cfutures/cfutures.h>
#include <cfutures/stream.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "Usage: chat_client NAME [ADDRESS]\n"
    "Takes part in a chat. ADDRESS is tcp:127.0.0.1:7000 if it is not given.\n"
    "Standard input is a terminal, a pipe or a socket; its end ends the chat,\n"
    "when the server has said all.\n"
    "\n"
    "In the chat: /join ROOM, /who, /rooms, /quit\n";

struct chat {
    const char *name, *address;
    cf_stream *server, *input;
};

static int
fail(cf_call *call, const char *what, cf_err err)
{
    return cf_fail(call,
                   (int)err,
                   "%s: %s",
                   what,
                   err == CF_ESYS ? strerror(errno) : cf_strerror(err));
}

/* Sends what is typed, line by line; at the end it says so. */
static int
send_lines(cf_call *call, const void *arg, size_t arg_size)
{
    struct chat *chat;
    cf_bytes line;
    cf_err err;
    memcpy(&chat, arg, arg_size);
    while (!(err = cf_stream_read_line(chat->input, 0, CF_FOREVER, &line))) {
        err = cf_stream_write(
            chat->server, line.data, line.size, CF_FOREVER, NULL);
        if (err)
            return fail(call, "server", err);
    }
    if (err == CF_EDONE)
        err = cf_stream_write(chat->server, "/quit\n", 6, CF_FOREVER, NULL);
    return err ? fail(call, "standard input", err) : 0;
}

static bool
is_ping(cf_bytes line)
{
    return line.size >= 4 && memcmp(line.data, "PING", 4) == 0;
}

/* Prints what the server says, until it ends. */
static cf_err
print_lines(struct chat *chat)
{
    cf_bytes line;
    cf_err err;
    while (!(err = cf_stream_read_line(chat->server, 0, CF_FOREVER, &line))) {
        if (is_ping(line)) {
            err = cf_stream_write(chat->server, "/pong\n", 6, CF_FOREVER, NULL);
            if (err && err != CF_EINVAL) /* the other task is writing: that
                                            answers, too */
                return err;
            continue;
        }
        if (fwrite(line.data, 1, line.size, stdout) != line.size ||
            fflush(stdout))
            return CF_ESYS;
    }
    return err == CF_EDONE ? CF_OK : err;
}

static int
talk(cf_call *call, struct chat *chat)
{
    cf_future *sender;
    cf_err err = cf_stream_write(
        chat->server, chat->name, strlen(chat->name), CF_FOREVER, NULL);
    if (!err)
        err = cf_stream_write(chat->server, "\n", 1, CF_FOREVER, NULL);
    if (!err)
        err = cf_submit(
            cf_call_executor(call), send_lines, &chat, sizeof chat, &sender);
    if (err)
        return fail(call, chat->address, err);
    err = print_lines(chat);
    int rc = err ? fail(call, chat->address, err) : 0;
    (void)cf_future_interrupt(sender);
    cf_shield_begin(call);
    (void)cf_future_wait(sender, CF_FOREVER);
    cf_shield_end(call);
    cf_future_unref(sender);
    return rc;
}

/* The main task. */
static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    struct chat *chat;
    memcpy(&chat, arg, arg_size);
    cf_err err = cf_stream_connect(
        call, chat->address, NULL, CF_SECONDS(10), &chat->server);
    if (err)
        return fail(call, chat->address, err);
    err = cf_stream_from_fd(call, STDIN_FILENO, &chat->input);
    int rc = err ? fail(call, "standard input", err) : talk(call, chat);
    if (!err)
        cf_stream_close(chat->input);
    cf_stream_close(chat->server);
    return rc;
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    if (argc < 2 || argc > 3) {
        fputs(usage, stderr);
        return WRONG_USAGE;
    }
    struct chat chat = {.name = argv[1],
                        .address = argc > 2 ? argv[2] : "tcp:127.0.0.1:7000"};
    struct chat *pointer = &chat;
    return run_task("chat_client", run, &pointer, sizeof pointer)
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}
