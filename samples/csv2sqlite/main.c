/* SPDX-License-Identifier: MIT */
/*
 * csv2sqlite: tables of CSV into a database, parsed in parallel and written by
 * one thread; then a query in parallel says how much there is.
 */
#include "load.h"
#include "sums.h"
#include "table.h"

#include "../common/command_line.h"
#include "../common/ctrl_c.h"
#include "../common/executor.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
    const char *executor, *table, *database;
    char **files;
    bool force, help;
};

static void
print_help(void)
{
    fputs(
        "usage: csv2sqlite [options] DATABASE [file.csv]...\n"
        "\n"
        "Makes a table of files of CSV, whose first row has the names of the\n"
        "columns; without files, and for -, of standard input. Quotes and\n"
        "what is in them are as RFC 4180 has it. Rows come in no order. A\n"
        "value is a number if it is written as one (not 007); an empty one\n"
        "without quotes is NULL. Prints how many rows there are, and what\n"
        "the numbers of each column add up to.\n"
        "\n"
        "  -t, --table NAME       the table's name (data)\n"
        "  -f, --force            replace the table, if it is there\n"
        "  -e, --executor SPEC    threads (one per CPU; the default),\n"
        "                         threads:N, processes, processes:N, inline\n"
        "  -h, --help             print this text\n"
        "\n"
        "A row that is bad is reported and left out, as is a file that cannot\n"
        "be read or has other columns than the first. Exit status: 0; 1 if\n"
        "there was one; 2 if the command line is wrong; 130 after Ctrl-C: the\n"
        "table is there as a whole, or the database is as it was.\n",
        stdout);
}

static bool
options_parse(struct options *o, int argc, char **argv)
{
    static char dash[] = "-", *none[] = {dash, NULL};
    static const struct option names[] = {
        {"executor", required_argument, NULL, 'e'},
        {"force", no_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {"table", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0}};
    int option;
    *o = (struct options){.executor = "threads", .table = "data"};
    while ((option = getopt_long(argc, argv, "e:fht:", names, NULL)) != -1) {
        if (option == 'e')
            o->executor = optarg;
        else if (option == 'f')
            o->force = true;
        else if (option == 'h')
            o->help = true;
        else if (option == 't')
            o->table = optarg;
        else
            return false;
    }
    o->database = argv[optind];
    if (o->help)
        return true;
    if (!o->database || !*o->database || strcmp(o->database, ":memory:") == 0) {
        fputs("csv2sqlite: the name of a database is missing\n", stderr);
        return false;
    }
    o->files = argv[optind + 1] ? argv + optind + 1 : none;
    return true;
}

/* --- the report ----------------------------------------------------------- */

/* A name may hold anything: what could steer a terminal is shown as '?'. */
static void
print_name(const char *name)
{
    for (; *name; name++)
        (void)putchar(iscntrl((unsigned char)*name) ? '?' : *name);
}

static void
print_sum(const char *name, const struct sum *sum)
{
    int64_t whole;
    if (sum->integers + sum->reals == 0)
        return;
    print_name(name);
    printf(": %" PRId64 " numbers, sum ", sum->integers + sum->reals);
    if (!sum->reals &&
        !__builtin_mul_overflow(sum->high, INT64_C(1) << 32, &whole) &&
        !__builtin_add_overflow(whole, sum->low, &whole))
        printf("%" PRId64 "\n", whole);
    else
        printf("%.15g\n",
               (double)sum->high * 0x1p32 + (double)sum->low + sum->real);
}

/* The connection that wrote is closed by now: the names are asked for again. */
static bool
print_sums(const struct query *query, const struct sum *sums)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *all = NULL;
    char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", query->table);
    bool done =
        sql && !sqlite3_open_v2(query->path, &db, SQLITE_OPEN_READONLY, NULL) &&
        !sqlite3_prepare_v2(db, sql, -1, &all, NULL);
    for (uint32_t i = 0; done && i < query->columns; i++)
        print_sum(sqlite3_column_name(all, (int)i), &sums[i]);
    if (!done)
        fprintf(stderr, "csv2sqlite: %s\n", db ? sqlite3_errmsg(db) : "memory");
    (void)sqlite3_finalize(all);
    (void)sqlite3_close(db);
    sqlite3_free(sql);
    return done;
}

/* 0, or an exit status. */
static int
report_all(const struct load *load, const struct query *query)
{
    struct sum *sums = calloc(query->columns, sizeof *sums);
    cf_err err = CF_ENOMEM;
    bool printed = false;
    if (sums)
        err = sum_columns(load->ex, query, load->ctrl_c, sums);
    else
        fputs("csv2sqlite: out of memory\n", stderr);
    if (!err) {
        printf("%" PRIu64 " rows\n", load->report->rows);
        printed = print_sums(query, sums);
    }
    free(sums);
    if (err == CF_EINTERRUPTED)
        return STOPPED;
    if (printed && (fflush(stdout) || ferror(stdout))) {
        fprintf(stderr, "csv2sqlite: standard output: %s\n", strerror(errno));
        printed = false;
    }
    return printed ? 0 : EXIT_FAILURE;
}

/* --- all of it ------------------------------------------------------------ */

/* false: nothing has been stored. *stopped: Ctrl-C. */
static bool
load_all(const struct load *load, const struct options *o, bool *stopped)
{
    struct table *table = load->table;
    bool good = table_open(table, o->database, o->force, load->report);
    for (char **file = o->files; good && *file; file++)
        good = load_file(load, *file, stopped);
    if (good && table->insert && !table_commit(table)) {
        report_error(load->report, o->database, table_error(table));
        good = false;
    }
    good = good && table->insert;
    table_close(table);
    return good;
}

static int
run(const struct options *o)
{
    struct report report = {.progress = isatty(STDERR_FILENO) != 0};
    struct table table = {.name = o->table};
    struct load load = {.table = &table, .report = &report};
    bool stopped = false;
    load.ctrl_c = ctrl_c_open("csv2sqlite");
    if (load.ctrl_c < 0)
        return EXIT_FAILURE;
    int status = open_executor("csv2sqlite", o->executor, &load.ex);
    if (status)
        return status;
    if (load_all(&load, o, &stopped)) {
        struct query query = {
            o->database, o->table, table.columns, report.rows};
        status = report_all(&load, &query);
    } else {
        status = stopped ? STOPPED : EXIT_FAILURE;
    }
    cf_executor_destroy(load.ex);
    return status ? status : report.errors || report.bad_rows;
}

int
main(int argc, char **argv)
{
    struct options options;
    if (!options_parse(&options, argc, argv)) {
        fputs("Try 'csv2sqlite --help'.\n", stderr);
        return WRONG_USAGE;
    }
    if (options.help) {
        print_help();
        return EXIT_SUCCESS;
    }
    return run(&options);
}
