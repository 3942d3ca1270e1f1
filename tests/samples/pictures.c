/* SPDX-License-Identifier: MIT */
/*
 * pictures make FILE WIDTHxHEIGHT CHANNELS: writes a JPEG or PNG file, by its
 * name, of waves with a fine pattern of single pixels.
 * pictures check FILE WIDTHxHEIGHT CHANNELS DECIBELS: it is one of that size
 * and kind, and the waves without the pattern, with that ratio of signal to
 * noise (PSNR) at least.
 */
#include <math.h>
#include <png.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

enum { ALPHA = 3, PATTERN = 24, JPEG_QUALITY = 95 };

struct picture {
    int width, height, channels; /* 1: gray, 3: RGB, 4: RGB and alpha */
    unsigned char *pixels;
};

static void
require(bool fine, const char *what)
{
    if (fine)
        return;
    fprintf(stderr, "pictures: %s\n", what);
    exit(EXIT_FAILURE);
}

/* A channel's waves in the middle of a pixel. */
static double
wave(const struct picture *picture, int x, int y, int channel)
{
    double u = (x + 0.5) / picture->width, v = (y + 0.5) / picture->height;
    double turns = (1 + channel) * u + (3 - channel) * v + channel / 3.0;
    return 130 + 60 * sin(2 * 3.14159265358979 * turns);
}

static unsigned char *
allocate(const struct picture *picture)
{
    unsigned char *pixels =
        malloc((size_t)picture->width * (size_t)picture->height *
               (size_t)picture->channels);
    require(pixels, "no memory");
    return pixels;
}

static void
draw(struct picture *picture)
{
    unsigned char *at = picture->pixels = allocate(picture);
    for (int y = 0; y < picture->height; y++) {
        for (int x = 0; x < picture->width; x++) {
            double pattern = (x + y) % 2 ? PATTERN : -PATTERN;
            for (int i = 0; i < picture->channels; i++)
                *at++ = (unsigned char)(wave(picture, x, y, i) +
                                        (i == ALPHA ? 0 : pattern));
        }
    }
}

static png_uint_32
png_format(const struct picture *picture)
{
    return picture->channels == 4   ? PNG_FORMAT_RGBA
           : picture->channels == 3 ? PNG_FORMAT_RGB
                                    : PNG_FORMAT_GRAY;
}

static void
write_png(const struct picture *picture, const char *path)
{
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)picture->width,
                     .height = (png_uint_32)picture->height,
                     .format = png_format(picture)};
    require(png_image_write_to_file(&png, path, 0, picture->pixels, 0, NULL),
            png.message);
}

static void
write_jpeg(const struct picture *picture, const char *path)
{
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    bool gray = picture->channels == 1;
    tjhandle jpeg = tjInitCompress();
    require(tjCompress2(jpeg,
                        picture->pixels,
                        picture->width,
                        0,
                        picture->height,
                        gray ? TJPF_GRAY : TJPF_RGB,
                        &bytes,
                        &size,
                        gray ? TJSAMP_GRAY : TJSAMP_444,
                        JPEG_QUALITY,
                        0) == 0,
            tjGetErrorStr2(jpeg));
    FILE *file = fopen(path, "wb");
    require(file && fwrite(bytes, 1, size, file) == size && !fclose(file),
            "cannot write");
    tjFree(bytes);
    (void)tjDestroy(jpeg);
}

static void
read_png(struct picture *picture, const char *path)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    require(png_image_begin_read_from_file(&png, path), png.message);
    require(png.format == png_format(picture), "another kind of PNG file");
    require(png.width == (png_uint_32)picture->width &&
                png.height == (png_uint_32)picture->height,
            "another size");
    picture->pixels = allocate(picture);
    require(png_image_finish_read(&png, NULL, picture->pixels, 0, NULL),
            png.message);
}

static void
read_jpeg(struct picture *picture, const char *path)
{
    static unsigned char bytes[1 << 20];
    int width, height, subsampling, colors;
    bool gray = picture->channels == 1;
    FILE *file = fopen(path, "rb");
    require(file, "no such file");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    tjhandle jpeg = tjInitDecompress();
    require(tjDecompressHeader3(
                jpeg, bytes, size, &width, &height, &subsampling, &colors) == 0,
            "no JPEG file");
    require(width == picture->width && height == picture->height,
            "another size");
    require(gray == (colors == TJCS_GRAY), "another kind of JPEG file");
    picture->pixels = allocate(picture);
    require(tjDecompress2(jpeg,
                          bytes,
                          size,
                          picture->pixels,
                          width,
                          0,
                          height,
                          gray ? TJPF_GRAY : TJPF_RGB,
                          TJFLAG_STOPONWARNING) == 0,
            tjGetErrorStr2(jpeg));
    (void)tjDestroy(jpeg);
}

/* Of one channel: so none makes up for another. */
static double
decibels(const struct picture *picture, int channel)
{
    double squares = 0, count = (double)picture->width * picture->height;
    const unsigned char *at = picture->pixels + channel;
    for (int y = 0; y < picture->height; y++) {
        for (int x = 0; x < picture->width; x++, at += picture->channels) {
            double difference = *at - wave(picture, x, y, channel);
            squares += difference * difference;
        }
    }
    return 10 * log10(255 * 255 * count / (squares + 1e-9));
}

int
main(int argc, char **argv)
{
    struct picture picture = {0};
    require(argc >= 5, "too few arguments");
    const char *path = argv[2], *end = strrchr(path, '.');
    bool png = end && strcmp(end, ".png") == 0;
    char *rest;
    picture.width = (int)strtol(argv[3], &rest, 10);
    picture.height = (int)strtol(rest + (*rest == 'x'), &rest, 10);
    require(picture.width > 0 && picture.height > 0 && !*rest, "no size");
    picture.channels = (int)strtol(argv[4], NULL, 10);
    if (strcmp(argv[1], "make") == 0) {
        draw(&picture);
        (png ? write_png : write_jpeg)(&picture, path);
    } else {
        require(argc == 6, "no decibels");
        (png ? read_png : read_jpeg)(&picture, path);
        for (int i = 0; i < picture.channels; i++) {
            double ratio = decibels(&picture, i);
            printf("%s: channel %d: %.1f dB\n", path, i, ratio);
            require(ratio >= strtod(argv[5], NULL), "too much noise");
        }
    }
    free(picture.pixels);
    return EXIT_SUCCESS;
}
