/* SPDX-License-Identifier: MIT */
#include "compress.h"

#include "block.h"

#include "../common/ctrl_c.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define LOOK_NS CF_MS(100) /* for Ctrl-C */

/* What a block is made of. */
struct reader {
    const struct work *work;
    const struct source *from;
    uint32_t tail_size; /* the dictionary of the next block */
    unsigned char tail[DICTIONARY];
};

/* What has been written. */
struct writer {
    FILE *out;
    uLong crc;
    uint64_t size; /* uncompressed bytes */
};

/* --- reading -------------------------------------------------------------- */

/* Fills a block, but for the last one. */
static cf_err
fill(const struct reader *reader, struct block *block)
{
    ssize_t n = 1;
    block->size = 0;
    while (n > 0 && block->size < BLOCK) {
        if (!ctrl_c_or_input(reader->work->ctrl_c, reader->from->fd))
            return CF_EINTERRUPTED;
        n = read(
            reader->from->fd, block->data + block->size, BLOCK - block->size);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n < 0)
            return CF_ESYS;
        else
            block->size += (uint32_t)n;
    }
    return block->size ? CF_OK : CF_EDONE;
}

/* The cf_pull_fn. */
static cf_err
next_block(void *data, void *item)
{
    struct reader *reader = data;
    struct block *block = item;
    cf_err err = fill(reader, block);
    if (err)
        return err;
    block->level = reader->work->level;
    block->dictionary_size = reader->tail_size;
    memcpy(block->dictionary, reader->tail, reader->tail_size);
    reader->tail_size = block->size < DICTIONARY ? block->size : DICTIONARY;
    memcpy(reader->tail,
           block->data + block->size - reader->tail_size,
           reader->tail_size);
    return CF_OK;
}

/* --- writing -------------------------------------------------------------- */

static void
write_number(FILE *out, uint32_t number)
{
    for (int i = 0; i < 4; i++, number >>= 8)
        (void)putc((int)(number & 255), out);
}

static void
write_head(const struct work *work, const struct source *from, FILE *out)
{
    enum { HAS_NAME = 8, UNIX = 3 };
    fprintf(out, "\x1f\x8b\x08%c", from->name ? HAS_NAME : 0);
    write_number(out, from->time);
    (void)putc(work->level == 9 ? 2 : work->level == 1 ? 4 : 0, out);
    (void)putc(UNIX, out);
    if (from->name)
        (void)fwrite(from->name, 1, strlen(from->name) + 1, out);
}

static void
write_block(struct writer *writer, cf_bytes bytes)
{
    const struct compressed *block = bytes.data;
    writer->crc = crc32_combine(writer->crc, block->crc, (z_off_t)block->size);
    writer->size += block->size;
    (void)fwrite(block->bytes, 1, bytes.size - sizeof *block, writer->out);
}

static void
write_end(const struct writer *writer)
{
    (void)fwrite("\x03", 1, 2, writer->out); /* an empty last block */
    write_number(writer->out, (uint32_t)writer->crc);
    write_number(writer->out, (uint32_t)writer->size);
}

static void
show_progress(const struct work *work,
              const struct source *from,
              const struct writer *writer)
{
    if (!work->progress)
        return;
    if (from->size)
        fprintf(stderr,
                "\r\033[K%s: %3.0f%%",
                from->path,
                100.0 * (double)writer->size / (double)from->size);
    else
        fprintf(stderr,
                "\r\033[K%s: %.1f MB",
                from->path,
                (double)writer->size / 1e6);
    (void)fflush(stderr);
}

/* --- the map -------------------------------------------------------------- */

static cf_err
take_results(const struct work *work,
             const struct source *from,
             cf_results *results,
             struct writer *writer)
{
    for (;;) {
        cf_bytes bytes;
        cf_err err = cf_results_next(results, LOOK_NS, &bytes);
        if (ctrl_c_pressed(work->ctrl_c))
            return CF_EINTERRUPTED;
        if (err && err != CF_ETIMEDOUT)
            return err == CF_EDONE ? CF_OK : err;
        if (!err)
            write_block(writer, bytes);
        if (ferror(writer->out)) /* what is full stays so */
            return CF_OK;
        show_progress(work, from, writer);
    }
}

static void
complain(const struct source *from, cf_results *results, cf_err err, int error)
{
    const cf_error *failed = results ? cf_results_error(results) : NULL;
    const char *why = err == CF_ESYS               ? strerror(error)
                      : failed && *failed->message ? failed->message
                                                   : cf_strerror(err);
    fprintf(stderr, "pgzip: %s: %s\n", from->path, why);
}

cf_err
compress_file(const struct work *work, const struct source *from, FILE *out)
{
    struct reader reader = {.work = work, .from = from};
    struct writer writer = {.out = out};
    cf_results *results = NULL;
    cf_map_options options =
        CF_MAP_OPTIONS(.pull = next_block,
                       .pull_data = &reader,
                       .chunk_size = 1,
                       .buffer_size =
                           4 * (size_t)cf_executor_max_workers(work->ex));
    write_head(work, from, out);
    cf_err err = cf_map(work->ex,
                        compress_block,
                        NULL,
                        sizeof(struct block),
                        0,
                        &options,
                        &results);
    if (!err)
        err = take_results(work, from, results, &writer);
    int error = errno;
    if (work->progress)
        fputs("\r\033[K", stderr);
    if (err && err != CF_EINTERRUPTED)
        complain(from, results, err, error);
    cf_results_destroy(results, true);
    if (!err)
        write_end(&writer);
    return err;
}
