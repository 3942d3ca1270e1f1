/* SPDX-License-Identifier: MIT */
/* Lines of streams. The names of many are those of CPython's test_streams. */
#include "loop_streams.h"

LOOP_TEST(loop_stream_lines, readline)
{
    cf_stream *pair[2];
    cf_bytes line;
    char c;
    size_t got;
    expect_ok(call, unix_pair(call, pair));
    expect_ok(call, send_text(pair[0], "one\n\ntwo\nthr"));
    expect_ok(call, cf_stream_read_line(pair[1], 0, CF_FOREVER, &line));
    expect(call, line_is(line, "one\n"));
    expect_ok(call, cf_stream_read_line(pair[1], 0, CF_FOREVER, &line));
    expect(call, line_is(line, "\n"));
    expect_ok(call, cf_stream_read(pair[1], &c, 1, CF_FOREVER, &got));
    expect(call, c == 't');
    expect_ok(call, cf_stream_read_line(pair[1], 0, CF_FOREVER, &line));
    expect(call, line_is(line, "wo\n"));
    expect_ok(call, send_text(pair[0], "ee\n"));
    expect_ok(call, cf_stream_read_line(pair[1], 0, CF_FOREVER, &line));
    expect(call, line_is(line, "three\n"));
    close_pair(pair);
    return 0;
}

LOOP_TEST(loop_stream_lines, readline_eof)
{
    cf_stream *pair[2];
    cf_bytes line;
    expect_ok(call, unix_pair(call, pair));
    expect_ok(call, send_text(pair[0], "some data"));
    cf_stream_close(pair[0]);
    expect(call,
           cf_stream_read_line(pair[1], 8, CF_FOREVER, &line) == CF_ETOOBIG);
    expect_ok(call, cf_stream_read_line(pair[1], 9, CF_FOREVER, &line));
    expect(call, line_is(line, "some data"));
    expect(call,
           cf_stream_read_line(pair[1], 9, CF_FOREVER, &line) == CF_EDONE);
    expect(call, line.size == 0);
    cf_stream_close(pair[1]);
    return 0;
}

LOOP_TEST(loop_stream_lines, readline_limit)
{
    cf_stream *pair[2];
    cf_bytes line;
    expect_ok(call, unix_pair(call, pair));
    expect_ok(call, send_text(pair[0], "12345\n1234\n"));
    for (int i = 0; i < 2; i++)
        expect(call,
               cf_stream_read_line(pair[1], 5, CF_FOREVER, &line) ==
                   CF_ETOOBIG);
    expect(call, receives(pair[1], "12345\n")); /* nothing was lost */
    expect_ok(call, cf_stream_read_line(pair[1], 5, CF_FOREVER, &line));
    expect(call, line_is(line, "1234\n"));
    close_pair(pair);
    return 0;
}

static int
write_byte_by_byte(cf_call *call, const void *arg, size_t arg_size)
{
    cf_stream *s = (cf_stream *)(uintptr_t)arg;
    (void)arg_size;
    for (const char *at = "a line\nand more\n"; *at; at++) {
        expect_ok(call, cf_stream_write(s, at, 1, CF_FOREVER, NULL));
        expect_ok(call, cf_yield(call));
    }
    return 0;
}

LOOP_TEST(loop_stream_lines, readline_line_byte_by_byte)
{
    cf_stream *pair[2];
    cf_bytes line;
    expect_ok(call, tcp_pair(call, pair));
    cf_future *writer = start(call, write_byte_by_byte, pair[0]);
    expect_ok(call, cf_stream_read_line(pair[1], 0, CF_FOREVER, &line));
    expect(call, line_is(line, "a line\n"));
    expect_ok(call, cf_stream_read_line(pair[1], 0, CF_FOREVER, &line));
    expect(call, line_is(line, "and more\n"));
    expect_ok(call, join(writer));
    close_pair(pair);
    return 0;
}

enum { LONG = 300000 };

static int
write_long_lines(cf_call *call, const void *arg, size_t arg_size)
{
    cf_stream *s = (cf_stream *)(uintptr_t)arg;
    char *text = malloc(LONG);
    (void)arg_size;
    expect(call, text);
    for (int i = 0; i < 3; i++) {
        memset(text, 'a' + i, LONG);
        text[LONG - 1] = '\n';
        expect_ok(call, cf_stream_write(s, text, LONG, CF_FOREVER, NULL));
    }
    free(text);
    return 0;
}

LOOP_TEST(loop_stream_lines, lines_longer_than_what_is_read_ahead)
{
    cf_stream *pair[2];
    cf_bytes line;
    expect_ok(call, unix_pair(call, pair));
    cf_future *writer = start(call, write_long_lines, pair[0]);
    for (int i = 0; i < 3; i++) {
        expect_ok(call, cf_stream_read_line(pair[1], LONG, CF_FOREVER, &line));
        const char *bytes = line.data;
        expect(call, line.size == LONG && bytes[LONG - 1] == '\n');
        for (int at = 0; at < LONG - 1; at++)
            expect(call, bytes[at] == 'a' + i);
        /* What comes meanwhile leaves it where it is. */
        expect_ok(call, cf_sleep(call, 1000000));
        expect(call, bytes[0] == 'a' + i && bytes[LONG - 2] == 'a' + i);
    }
    expect_ok(call, join(writer));
    close_pair(pair);
    return 0;
}
