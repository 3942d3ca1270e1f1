/* SPDX-License-Identifier: MIT */
/*
 * Transfers in an event loop, or on a pool of threads, against all that ends
 * one at once: the page comes, the server resets, threads interrupt the tasks,
 * timeouts and scopes pass. Attacks event_loop/curl/: the tree of transfers,
 * the watches of sockets, the end of a loop.
 *
 * What a transfer returns fits what it was for, each task ends, and in the end
 * no descriptor is left.
 */
#include "common.h"
#include "tests/support/descriptors.h"
#include "tests/support/http_server.h"

#include <cfutures/curl.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TASKS = 100, TRANSFERS = 3, INTERRUPTERS = 2, POOL_TASKS = 12 };

struct round {
    uint64_t number;
    int port;
    int count;
    cf_future *tasks[TASKS];
    atomic_bool submitted;
};

struct job {
    struct round *round;
    uint64_t stream;
};

static atomic_uint_fast64_t ended, failed, interrupted, timed_out;

static size_t
take(char *data, size_t one, size_t size, void *to)
{
    (void)data;
    (void)one;
    *(size_t *)to += size;
    return size;
}

static const char *
random_page(struct random *r, bool *answers)
{
    static const char *const pages[] = {
        "/ok", "/size/100000", "/slow/1", "/none", "/reset", "/hang", "/half"};
    unsigned i = random_below(r, 7);
    *answers = i < 4;
    return pages[i];
}

static void
judge(cf_call *call, cf_err err, CURLcode code, bool answers, bool limited)
{
    switch (err) {
    case CF_OK:
        atomic_fetch_add(code ? &failed : &ended, 1);
        CHECK(answers ? code == CURLE_OK : code != CURLE_OK);
        break;
    case CF_ETIMEDOUT:
        CHECK(limited);
        CHECK_EQ(code, CURLE_OPERATION_TIMEDOUT);
        atomic_fetch_add(&timed_out, 1);
        break;
    default:
        CHECK_EQ(err, CF_EINTERRUPTED);
        CHECK_EQ(code, CURLE_ABORTED_BY_CALLBACK);
        CHECK(cf_call_canceled(call));
        atomic_fetch_add(&interrupted, 1);
    }
}

static void
transfer(cf_call *call, struct random *r, int port)
{
    char url[64];
    bool answers;
    size_t size = 0;
    cf_scope *scope = NULL;
    CURLcode code = CURL_LAST;
    CURL *easy = curl_easy_init();
    CHECK(easy != NULL);
    snprintf(url,
             sizeof url,
             "http://127.0.0.1:%d%s",
             port,
             random_page(r, &answers));
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &size);
    bool in_scope = random_percent(r, 30);
    bool limited = !answers || random_percent(r, 30);
    if (in_scope)
        CHECK_EQ(cf_scope_begin(call, random_below(r, 5000000), &scope), CF_OK);
    int64_t timeout_ns = limited ? 1 + random_below(r, 5000000) : CF_FOREVER;
    cf_err err = cf_curl_perform(call, easy, timeout_ns, &code);
    judge(call, err, code, answers, limited);
    if (in_scope)
        (void)cf_scope_end(scope);
    curl_easy_cleanup(easy);
    stress_alive();
}

static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    struct job job;
    memcpy(&job, arg, arg_size);
    struct random r = random_stream(job.stream);
    for (int i = 0; i < TRANSFERS; i++)
        transfer(call, &r, job.round->port);
    return 0;
}

static void
interrupt(unsigned index, void *data)
{
    struct round *round = data;
    struct random r = random_stream(round->number * 100 + index);
    while (!atomic_load(&round->submitted))
        random_delay(&r, 1000);
    for (int i = 0; i < round->count / 4; i++) {
        random_delay(&r, 1000000);
        unsigned which = random_below(&r, (unsigned)round->count);
        (void)cf_future_interrupt(round->tasks[which]);
    }
}

static void
run_round(uint64_t number, http_server *s, const char *spec, int count)
{
    struct round round = {
        .number = number, .port = http_server_port(s), .count = count};
    struct random r = random_stream(number * 100 + 99);
    cf_executor *ex;
    struct crew crew;
    CHECK_EQ(cf_executor_open(spec, &ex), CF_OK);
    crew_start(&crew, INTERRUPTERS, interrupt, &round);
    for (int i = 0; i < count; i++) {
        struct job job = {&round, random_next(&r)};
        CHECK_EQ(cf_submit(ex, run, &job, sizeof job, &round.tasks[i]), CF_OK);
    }
    atomic_store(&round.submitted, true);
    if (random_percent(&r, 30))
        random_delay(&r, 5000000);
    cf_executor_destroy(ex);
    crew_join(&crew);
    for (int i = 0; i < count; i++) {
        cf_err err = cf_future_result(round.tasks[i], CF_FOREVER, NULL);
        CHECK(err == CF_OK || err == CF_ECANCELED); /* before it began */
        cf_future_unref(round.tasks[i]);
    }
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    CHECK_EQ(curl_global_init(CURL_GLOBAL_DEFAULT), 0);
    http_server *s = http_server_start(0);
    uint64_t rounds = 0;
    run_round(rounds++, s, "loop", TASKS); /* libuv opens some for ever */
    http_server_stop(s);
    int before = count_descriptors();
    s = http_server_start(0);
    while (stress_goes_on()) {
        if (rounds % 4 == 3)
            run_round(rounds++, s, "threads:3", POOL_TASKS);
        else
            run_round(rounds++, s, "loop", TASKS);
    }
    http_server_stop(s);
    CHECK_EQ(count_descriptors(), before);
    return stress_end("%" PRIu64 " rounds, %" PRIuFAST64 " pages, %" PRIuFAST64
                      " failures, %" PRIuFAST64 " interrupted, %" PRIuFAST64
                      " timed out",
                      rounds,
                      atomic_load(&ended),
                      atomic_load(&failed),
                      atomic_load(&interrupted),
                      atomic_load(&timed_out));
}
