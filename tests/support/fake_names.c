/* SPDX-License-Identifier: MIT */
/* The interposed getaddrinfo(); see fake_names.h. */
#define _GNU_SOURCE
#include "tests/support/fake_names.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct fake_name *known;
static size_t known_count;

typedef int lookup_fn(const char *host,
                      const char *service,
                      const struct addrinfo *hints,
                      struct addrinfo **out);

void
fake_names_use(const struct fake_name *names, size_t count)
{
    known = names;
    known_count = count;
}

/* One block, as in glibc, whose freeaddrinfo() frees it. */
static struct addrinfo *
new_address(const struct fake_address *from, const char *service, int type)
{
    struct addrinfo *ai;
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    int port = from->port ? from->port : service ? atoi(service) : 0;
    bool is_v6 = inet_pton(AF_INET, from->ip, &v4.sin_addr) != 1;
    if (is_v6 && inet_pton(AF_INET6, from->ip, &v6.sin6_addr) != 1)
        abort();
    v4.sin_port = v6.sin6_port = htons((unsigned short)port);
    size_t size = is_v6 ? sizeof v6 : sizeof v4;
    ai = calloc(1, sizeof *ai + size);
    if (!ai)
        abort();
    ai->ai_family = is_v6 ? AF_INET6 : AF_INET;
    ai->ai_socktype = type;
    ai->ai_addrlen = (socklen_t)size;
    ai->ai_addr = (struct sockaddr *)(void *)(ai + 1);
    memcpy(ai->ai_addr, is_v6 ? (void *)&v6 : (void *)&v4, size);
    return ai;
}

static int
answer(const struct fake_name *name,
       const char *service,
       const struct addrinfo *hints,
       struct addrinfo **out)
{
    if (name->gate)
        gate_pass(name->gate);
    if (name->status) {
        errno = name->error;
        return name->status;
    }
    for (size_t i = 0; i < name->count; i++) {
        *out = new_address(&name->addresses[i], service, hints->ai_socktype);
        out = &(*out)->ai_next;
    }
    return 0;
}

/* NOLINTNEXTLINE: libc's name for it */
int
getaddrinfo(const char *host,
            const char *service,
            const struct addrinfo *hints,
            struct addrinfo **out)
{
    bool is_number = hints && hints->ai_flags & AI_NUMERICHOST;
    for (size_t i = 0; i < known_count && host && !is_number; i++)
        if (strcmp(known[i].host, host) == 0)
            return answer(&known[i], service, hints, out);
    /* ISO C has no cast from an object pointer to a function pointer. */
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    lookup_fn *next;
    memcpy(&next, &symbol, sizeof next);
    return next(host, service, hints, out);
}

size_t
fake_names_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    size_t count = 0;
    if (!tasks)
        abort();
    for (struct dirent *at; (at = readdir(tasks)) != NULL;) {
        char path[300], name[16] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", at->d_name);
        FILE *file = fopen(path, "re");
        if (!file)
            continue; /* it has just ended */
        count +=
            fgets(name, sizeof name, file) && !strcmp(name, "cf_resolver\n");
        fclose(file);
    }
    closedir(tasks);
    return count;
}
