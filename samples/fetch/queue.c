/* SPDX-License-Identifier: MIT */
#include "queue.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- names ---------------------------------------------------------------- */

/* What is on both sides of a mark, as one. NULL: no memory. */
static char *
join(const char *first, const char *mark, const char *second)
{
    size_t size = strlen(first) + strlen(mark) + strlen(second) + 1;
    char *text = malloc(size);
    if (text)
        snprintf(text, size, "%s%s%s", first, mark, second);
    return text;
}

/* "host:port"; NULL: no memory. */
static char *
host_of(CURLU *url)
{
    char *host = NULL, *port = NULL;
    (void)curl_url_get(url, CURLUPART_HOST, &host, 0);
    (void)curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    char *name = host && port ? join(host, ":", port) : NULL;
    curl_free(host);
    curl_free(port);
    return name;
}

/* As wget has it: what is behind the last slash, with the query. libcurl has
 * taken out the dots that lead elsewhere. */
static char *
path_of(CURLU *url, const char *folder)
{
    char *path = NULL, *query = NULL;
    (void)curl_url_get(url, CURLUPART_PATH, &path, 0);
    (void)curl_url_get(url, CURLUPART_QUERY, &query, 0);
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *last = slash ? slash + 1 : "";
    for (char *c = query; c && *c; c++)
        if (*c == '/')
            *c = '_';
    if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
        last = "index.html";
    char *part = join(last, query ? "?" : "", query ? query : "");
    char *name = part ? join(folder, "/", part) : NULL;
    free(part);
    curl_free(path);
    curl_free(query);
    return name;
}

/* --- making it ------------------------------------------------------------ */

bool
queue_add(struct queue *queue, const char *url, const char *folder)
{
    if (queue->count == queue->room) {
        size_t room = queue->room ? 2 * queue->room : 64;
        struct job *jobs = reallocarray(queue->jobs, room, sizeof *jobs);
        if (!jobs)
            return false;
        queue->jobs = jobs;
        queue->room = room;
    }
    struct job *job = &queue->jobs[queue->count++];
    CURLU *parsed = curl_url();
    bool good = parsed && !curl_url_set(parsed, CURLUPART_URL, url, 0);
    *job = (struct job){.url = url,
                        .host = good ? host_of(parsed) : NULL,
                        .path = good ? path_of(parsed, folder) : NULL};
    curl_url_cleanup(parsed);
    return job->host && job->path;
}

static int
compare_hosts(const void *a, const void *b)
{
    return strcmp(((const struct job *)a)->host, ((const struct job *)b)->host);
}

bool
queue_begin(struct queue *queue)
{
    const size_t room = queue->count ? queue->count : 1;
    queue->hosts = calloc(room, sizeof *queue->hosts);
    queue->waiting = calloc(room, sizeof *queue->waiting);
    if (!queue->hosts || !queue->waiting)
        return false;
    if (queue->count)
        qsort(queue->jobs, queue->count, sizeof *queue->jobs, compare_hosts);
    for (size_t i = 0; i < queue->count; i++) {
        struct job *job = &queue->jobs[i];
        if (i == 0 || compare_hosts(job, job - 1) != 0) {
            queue->hosts[queue->host_count] = (struct host){.next = i};
            queue->waiting[queue->host_count] = queue->host_count;
            queue->host_count++;
        }
        job->group = queue->host_count - 1;
        queue->hosts[job->group].end = i + 1;
    }
    queue->waiting_count = queue->host_count;
    return true;
}

void
queue_fini(struct queue *queue)
{
    for (size_t i = 0; i < queue->count; i++) {
        free(queue->jobs[i].host);
        free(queue->jobs[i].path);
    }
    free(queue->jobs);
    free(queue->hosts);
    free(queue->waiting);
}

/* --- using it ------------------------------------------------------------- */

/* Those that are passed over have jobs that run, so they are few. */
struct job *
queue_next(struct queue *queue)
{
    for (size_t i = 0; i < queue->waiting_count; i++) {
        if (queue->turn >= queue->waiting_count)
            queue->turn = 0;
        struct host *host = &queue->hosts[queue->waiting[queue->turn]];
        if (host->running == queue->per_host) {
            queue->turn++;
            continue;
        }
        struct job *job = &queue->jobs[host->next++];
        host->running++;
        if (host->next < host->end)
            queue->turn++;
        else /* the last one comes in its place */
            queue->waiting[queue->turn] =
                queue->waiting[--queue->waiting_count];
        return job;
    }
    return NULL;
}

void
queue_done(struct queue *queue, const struct job *job)
{
    queue->hosts[job->group].running--;
}
