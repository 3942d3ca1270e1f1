/* SPDX-License-Identifier: MIT */
/*
 * usage: http_pages PORT_FILE
 *
 * The server of tests/support/http_server.h as a program: writes its port to
 * PORT_FILE, which is there once the port is in it, and serves until standard
 * input ends.
 */
#include "tests/support/http_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    char name[4096], byte;
    if (argc != 2)
        return EXIT_FAILURE;
    http_server *s = http_server_start(0);
    snprintf(name, sizeof name, "%s.new", argv[1]);
    FILE *file = fopen(name, "w");
    if (!file || fprintf(file, "%d\n", http_server_port(s)) < 0 ||
        fclose(file) || rename(name, argv[1])) {
        perror(argv[1]);
        return EXIT_FAILURE;
    }
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    http_server_stop(s);
    return EXIT_SUCCESS;
}
