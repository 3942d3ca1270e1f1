/* SPDX-License-Identifier: MIT */
/*
 * Three generators of numbers that take turns. In an event loop they are
 * coroutines on one thread: each gives the others a turn where it says so, so
 * the order is always the same. On a thread pool the same functions run when
 * the system lets them.
 */
#include <cfutures/cfutures.h>

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MOST = 90, /* so far Fibonacci numbers fit into 64 bits */
    WRONG_USAGE = 2
};

static const char usage[] =
    "Usage: generators [--executor SPEC] [--count N]\n"
    "Prints N square numbers, N primes and N Fibonacci numbers in turn.\n"
    "\n"
    "  --executor SPEC  where they run: loop (the default), threads:3, ...\n"
    "  --count N        numbers of each, 1 to 90; 5 if it is not given\n"
    "  --help           prints this\n";

/* Prints a number and lets the others go on. */
static cf_err
give(cf_call *call, const char *name, uint64_t number)
{
    printf("%-9s %" PRIu64 "\n", name, number);
    return cf_yield(call);
}

static int
squares(cf_call *call, int count)
{
    for (int i = 1; i <= count; i++)
        if (give(call, "square", (uint64_t)i * (uint64_t)i))
            return cf_fail(call, i, "told to stop");
    return 0;
}

static int
fibonacci(cf_call *call, int count)
{
    uint64_t here = 0, next = 1;
    for (int i = 0; i < count; i++) {
        if (give(call, "fibonacci", here))
            return cf_fail(call, i, "told to stop");
        uint64_t sum = here + next;
        here = next;
        next = sum;
    }
    return 0;
}

static bool
is_prime(unsigned n)
{
    for (unsigned i = 2; i * i <= n; i++)
        if (n % i == 0)
            return false;
    return true;
}

static int
primes(cf_call *call, int count)
{
    unsigned n = 2;
    for (int i = 0; i < count; n++) {
        if (!is_prime(n))
            continue;
        if (give(call, "prime", n))
            return cf_fail(call, i, "told to stop");
        i++;
    }
    return 0;
}

struct job {
    int (*generate)(cf_call *call, int count);
    int count;
};

static int
generator(cf_call *call, const void *arg, size_t arg_size)
{
    const struct job *job = arg;
    (void)arg_size;
    return job->generate(call, job->count);
}

/* Starts the three, and waits for them. */
static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    int count = *(const int *)arg, rc = 0;
    (void)arg_size;
    struct job jobs[] = {{squares, count}, {primes, count}, {fibonacci, count}};
    cf_future *futures[3];
    cf_err err = cf_submit_many(
        cf_call_executor(call), generator, jobs, sizeof *jobs, 3, futures);
    if (err)
        return cf_fail(call, (int)err, "submit: %s", cf_strerror(err));
    for (int i = 0; i < 3; i++) {
        err = cf_future_result(futures[i], CF_FOREVER, NULL);
        if (err)
            rc = cf_fail(call, (int)err, "%s", cf_future_message(futures[i]));
        cf_future_unref(futures[i]);
    }
    return rc;
}

/* false: text is no number from 1 to MOST. */
static bool
parse_count(const char *text, int *out)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (end == text || *end || n < 1 || n > MOST)
        return false;
    *out = (int)n;
    return true;
}

/* false: the program is to end with *status. */
static bool
parse(int argc, char **argv, const char **spec, int *count, int *status)
{
    static const struct option options[] = {
        {"executor", required_argument, NULL, 'e'},
        {"count", required_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    *status = WRONG_USAGE;
    for (int c; (c = getopt_long(argc, argv, "e:n:h", options, NULL)) != -1;) {
        switch (c) {
        case 'e':
            *spec = optarg;
            break;
        case 'n':
            if (parse_count(optarg, count))
                break;
            fprintf(stderr, "generators: --count %s: not 1 to 90\n", optarg);
            return false;
        case 'h':
            fputs(usage, stdout);
            *status = EXIT_SUCCESS;
            return false;
        default:
            fputs("Try: generators --help\n", stderr);
            return false;
        }
    }
    if (optind == argc)
        return true;
    fprintf(stderr, "generators: what is %s?\n", argv[optind]);
    return false;
}

int
main(int argc, char **argv)
{
    const char *spec = "loop";
    int count = 5, status;
    if (!parse(argc, argv, &spec, &count, &status))
        return status;
    cf_executor *ex;
    cf_future *all;
    cf_err err = cf_executor_open(spec, &ex);
    if (err) {
        fprintf(stderr,
                "generators: --executor %s: %s (there are %s)\n",
                spec,
                cf_strerror(err),
                cf_executor_specs());
        return EXIT_FAILURE;
    }
    err = cf_submit(ex, run, &count, sizeof count, &all);
    if (!err) {
        err = cf_future_result(all, CF_FOREVER, NULL);
        if (err)
            fprintf(stderr, "generators: %s\n", cf_future_message(all));
        cf_future_unref(all);
    }
    cf_executor_destroy(ex);
    return err || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
