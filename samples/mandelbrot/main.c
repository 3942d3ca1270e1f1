/* SPDX-License-Identifier: MIT */
/*
 * mandelbrot: the Mandelbrot set, in parallel. The picture is cut into tiles;
 * each is a typed task, and is put into the picture when it is done.
 */
#include "options.h"
#include "picture.h"

#include "../common/batch.h"
#include "../common/command_line.h"
#include "../common/ctrl_c.h"
#include "../common/executor.h"
#include "../common/output.h"

#include <stdio.h>
#include <stdlib.h>

enum { AHEAD = 4 }; /* tiles for each worker */

/* All tiles of the picture. */
struct drawing {
    cf_executor *ex;
    struct tile first;
    size_t across, count; /* tiles */
    struct picture picture;
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
submit_tile(void *data, size_t index, cf_future **out)
{
    const struct drawing *drawing = data;
    struct tile tile = drawing->first;
    draw_future f;
    tile.column = (uint32_t)(index % drawing->across * TILE);
    tile.row = (uint32_t)(index / drawing->across * TILE);
    tile.x += tile.step * tile.column;
    tile.y -= tile.step * tile.row;
    cf_err err = draw_submit(drawing->ex, tile, &f);
    if (!err)
        *out = f.future;
    return err;
}

/* Puts a tile into the picture. */
static cf_err
take_tile(void *data, cf_future *future)
{
    struct drawing *drawing = data;
    const struct tile_pixels *pixels;
    cf_err err = draw_view((draw_future){future}, 0, &pixels);
    if (err)
        batch_complain("mandelbrot", "a tile", cf_future_message(future));
    else
        picture_put(&drawing->picture, pixels);
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
    struct output output;
    if (!output_open(&output, "mandelbrot", o->output))
        return EXIT_FAILURE;
    cut(&drawing, o);
    struct batch batch = {.ex = ex,
                          .ctrl_c = ctrl_c,
                          .unit = "tiles",
                          .count = drawing.count,
                          .ahead = AHEAD,
                          .submit = submit_tile,
                          .take = take_tile,
                          .data = &drawing};
    cf_err err =
        picture_init(&drawing.picture, o) ? batch_run(&batch) : CF_ENOMEM;
    int status = EXIT_SUCCESS;
    if (!err) {
        picture_write(&drawing.picture, output.file);
        status = output_finish(&output) ? EXIT_SUCCESS : EXIT_FAILURE;
    } else {
        output_abandon(&output);
        status = err == CF_EINTERRUPTED ? STOPPED : complain(cf_strerror(err));
    }
    picture_fini(&drawing.picture);
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
