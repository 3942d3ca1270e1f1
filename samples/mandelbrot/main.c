/* SPDX-License-Identifier: MIT */
/*
 * mandelbrot: the Mandelbrot set, in parallel. The picture is cut into tiles;
 * each is a typed task, and is put into the picture when it is done.
 */
#include "options.h"
#include "picture.h"

#include "../common/command_line.h"
#include "../common/ctrl_c.h"
#include "../common/executor.h"
#include "../common/output.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* All tiles of the picture. They are submitted some at a time: so results do
 * not pile up, and on the inline executor there is progress, too. */
struct drawing {
    cf_executor *ex;
    cf_as_completed *it; /* what has been submitted */
    struct tile first;
    size_t across, count; /* tiles */
    size_t submitted, done;
};

static void
cut(struct drawing *drawing, const struct options *o)
{
    const double step = o->span / (double)o->width;
    drawing->across = ((size_t)o->width + TILE - 1) / TILE;
    drawing->count = drawing->across * (((size_t)o->height + TILE - 1) / TILE);
    drawing->first = (struct tile){
        .x = o->x - step * (double)(o->width - 1) / 2,
        .y = o->y + step * (double)(o->height - 1) / 2,
        .step = step,
        .iterations = (uint32_t)o->iterations,
    };
}

static cf_err
submit_next(struct drawing *drawing)
{
    struct tile tile = drawing->first;
    draw_future f;
    tile.column = (uint32_t)(drawing->submitted % drawing->across * TILE);
    tile.row = (uint32_t)(drawing->submitted / drawing->across * TILE);
    tile.x += tile.step * tile.column;
    tile.y -= tile.step * tile.row;
    cf_err err = draw_submit(drawing->ex, tile, &f);
    if (err)
        return err;
    drawing->submitted++;
    err = cf_as_completed_add(drawing->it, f.future);
    draw_unref(f); /* the iterator has a handle */
    return err;
}

static void
show_progress(const struct drawing *drawing, bool over)
{
    if (!isatty(STDERR_FILENO))
        return;
    if (over)
        fputs("\r\033[K", stderr);
    else
        fprintf(stderr,
                "\r\033[K%3zu%%  %zu/%zu tiles",
                100 * drawing->done / drawing->count,
                drawing->done,
                drawing->count);
    (void)fflush(stderr);
}

/* Puts the next tile into the picture. */
static cf_err
collect_next(struct drawing *drawing, int ctrl_c, struct picture *picture)
{
    draw_future f;
    const struct tile_pixels *pixels;
    cf_err err = ctrl_c_or_next(ctrl_c, drawing->it, CF_FOREVER, &f.future);
    if (err)
        return err;
    err = draw_view(f, 0, &pixels);
    if (err) {
        fprintf(stderr, "mandelbrot: %s\n", cf_future_message(f.future));
        return err;
    }
    picture_put(picture, pixels);
    drawing->done++;
    return CF_OK;
}

/* CF_EINTERRUPTED: Ctrl-C. */
static cf_err
run(struct drawing *drawing, int ctrl_c, struct picture *picture)
{
    const size_t most = 4 * (size_t)cf_executor_max_workers(drawing->ex);
    cf_err err = cf_as_completed_create(NULL, 0, &drawing->it);
    if (err)
        return err;
    while (!err && drawing->done < drawing->count) {
        show_progress(drawing, false);
        if (drawing->submitted < drawing->count &&
            drawing->submitted - drawing->done < most)
            err = submit_next(drawing);
        else
            err = collect_next(drawing, ctrl_c, picture);
    }
    show_progress(drawing, true);
    cf_as_completed_destroy(drawing->it);
    if (err) /* what runs is told to stop */
        (void)cf_executor_terminate(drawing->ex, SIGTERM);
    return err;
}

static int
complain(const char *what)
{
    fprintf(stderr, "mandelbrot: %s\n", what);
    return EXIT_FAILURE;
}

static int
make_file(const struct options *o, cf_executor *ex, int ctrl_c)
{
    struct drawing drawing = {.ex = ex};
    struct picture picture;
    struct output output;
    if (!output_open(&output, "mandelbrot", o->output))
        return EXIT_FAILURE;
    cut(&drawing, o);
    cf_err err =
        picture_init(&picture, o) ? run(&drawing, ctrl_c, &picture) : CF_ENOMEM;
    int status = EXIT_SUCCESS;
    if (!err) {
        picture_write(&picture, output.file);
        status = output_finish(&output) ? EXIT_SUCCESS : EXIT_FAILURE;
    } else {
        output_abandon(&output);
        status = err == CF_EINTERRUPTED ? STOPPED : complain(cf_strerror(err));
    }
    picture_fini(&picture);
    return status;
}

int
main(int argc, char **argv)
{
    struct options options;
    cf_executor *ex;
    if (!options_parse(&options, argc, argv)) {
        fputs("Try 'mandelbrot --help'.\n", stderr);
        return WRONG_USAGE;
    }
    if (options.help) {
        options_help();
        return EXIT_SUCCESS;
    }
    int ctrl_c = ctrl_c_open("mandelbrot");
    if (ctrl_c < 0)
        return EXIT_FAILURE;
    int status = open_executor("mandelbrot", options.executor, &ex);
    if (status)
        return status;
    status = make_file(&options, ex, ctrl_c);
    cf_executor_destroy(ex);
    return status;
}
