/* SPDX-License-Identifier: MIT */
#include "reader.h"

#include "csv.h"

#include "../common/ctrl_c.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool
reader_open(struct reader *r, const char *path)
{
    struct stat status;
    bool is_stdin = strcmp(path, "-") == 0;
    r->path = is_stdin ? "stdin" : path;
    r->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0 || fstat(r->fd, &status)) {
        report_error(r->report, r->path, strerror(errno));
        if (r->fd >= 0)
            reader_close(r);
        return false;
    }
    r->file_size = S_ISREG(status.st_mode) ? status.st_size : 0;
    r->piece = malloc(sizeof *r->piece + PIECE + 1); /* one for a line feed */
    if (!r->piece) {
        report_error(r->report, r->path, strerror(ENOMEM));
        reader_close(r);
        return false;
    }
    *r->piece = (struct piece){.line = 1};
    return true;
}

void
reader_close(struct reader *r)
{
    if (r->fd != STDIN_FILENO)
        (void)close(r->fd);
    free(r->piece);
}

/* --- what is in hand ------------------------------------------------------ */

/* Drops the first bytes. */
static void
drop(struct reader *r, size_t size)
{
    const char *at = r->piece->text, *end = at + size;
    while (csv_skip_line(&at, end))
        r->piece->line++;
    r->size -= size;
    r->done += (off_t)size;
    memmove(r->piece->text, end, r->size);
    r->piece->size = 0;
}

/* Drops the rest of a line that was too long. */
static void
skip_rest(struct reader *r)
{
    const char *at = r->piece->text, *end = at + r->size;
    r->skipping = !csv_skip_line(&at, end);
    drop(r, r->skipping ? r->size : (size_t)(at - r->piece->text));
}

static cf_err
read_some(struct reader *r)
{
    if (!ctrl_c_or_input(r->ctrl_c, r->fd))
        return CF_EINTERRUPTED;
    ssize_t n = read(r->fd, r->piece->text + r->size, PIECE - r->size);
    if (n < 0)
        return errno == EINTR ? CF_OK : CF_ESYS;
    r->ended = n == 0;
    r->size += (size_t)n;
    return CF_OK;
}

/* The last row may lack its line feed. */
static cf_err
fill(struct reader *r)
{
    cf_err err = CF_OK;
    bool had_ended = r->ended;
    while (!err && !r->ended && r->size < PIECE) {
        err = read_some(r);
        if (r->skipping)
            skip_rest(r);
    }
    if (r->ended && !had_ended && r->size &&
        r->piece->text[r->size - 1] != '\n')
        r->piece->text[r->size++] = '\n';
    return err;
}

/* --- pieces --------------------------------------------------------------- */

/* How many bytes in hand are whole rows, most of them at most. A row is bad if
 * it fills all that is in hand: parse.c finds it bad for the same reason. */
static size_t
whole_rows(const struct reader *r, size_t most)
{
    const char *begin = r->piece->text, *at = begin, *end = begin + r->size;
    for (size_t rows = 0; at < end && rows < most; rows++) {
        const char *row = at;
        enum csv_end how = csv_row(&at, end);
        if (how == CSV_LINE)
            continue;
        if (how == CSV_OPEN && !r->ended && row > begin)
            return (size_t)(row - begin);
        if (!csv_skip_line(&at, end))
            return (size_t)(row - begin);
    }
    return (size_t)(at - begin);
}

static cf_err
next_rows(struct reader *r, size_t most)
{
    for (;;) {
        drop(r, r->piece->size);
        cf_err err = fill(r);
        if (err || r->size == 0)
            return err ? err : CF_EDONE;
        r->piece->size = (uint32_t)whole_rows(r, most);
        if (r->piece->size)
            return CF_OK;
        report_bad_row(r->report, r->path, r->piece->line, "longer than 1 MiB");
        r->skipping = true;
        drop(r, r->size);
    }
}

cf_err
reader_next(struct reader *r)
{
    return next_rows(r, SIZE_MAX);
}

/* Some programs begin a file with a mark that says it is UTF-8. */
cf_err
reader_first_row(struct reader *r)
{
    cf_err err = fill(r);
    if (!err && r->size >= 3 && memcmp(r->piece->text, "\xef\xbb\xbf", 3) == 0)
        drop(r, 3);
    if (err)
        return err;
    const uint64_t first = r->piece->line;
    err = next_rows(r, 1);
    return !err && r->piece->line != first ? CF_ETOOBIG : err;
}
