/* SPDX-License-Identifier: MIT */
/*
 * One function over many items: cf_map() hands out results one by one, a
 * failing item among them; cf_map_array() fills an array of the caller.
 */
#include <cfutures/cfutures.h>

#include <stdio.h>

/* The weekday of 25 December, 0 for Sunday, by Sakamoto's method. */
static int
christmas(cf_call *call, const void *arg, size_t arg_size)
{
    int year = *(const int *)arg;
    (void)arg_size;
    if (year < 1583)
        return cf_fail(call, year, "%d: before the Gregorian calendar", year);
    int weekday = (year + year / 4 - year / 100 + year / 400 + 4 + 25) % 7;
    return cf_return(call, &weekday, sizeof(weekday));
}

static cf_err
print_weekdays(cf_executor *pool, const int *years, size_t count)
{
    const char *names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    cf_results *results;
    cf_bytes bytes;
    cf_err err =
        cf_map(pool, christmas, years, sizeof(*years), count, NULL, &results);
    if (err != CF_OK)
        return err;
    while ((err = cf_results_next(results, CF_FOREVER, &bytes)) != CF_EDONE) {
        const cf_error *error = cf_results_error(results);
        if (err == CF_OK)
            printf("%d: %s\n",
                   years[cf_results_index(results)],
                   names[*(const int *)bytes.data]);
        else if (error != NULL) /* this item failed; the next ones go on */
            printf("%s\n", error->message);
        else
            break; /* the map itself cannot go on */
    }
    cf_results_destroy(results, true);
    return err == CF_EDONE ? CF_OK : err;
}

static cf_err
count_sundays(cf_executor *pool)
{
    enum { FIRST = 1901, COUNT = 200 };
    int years[COUNT], weekdays[COUNT], sundays = 0;
    const size_t size = sizeof(int);
    for (int i = 0; i < COUNT; i++)
        years[i] = FIRST + i;
    cf_err err =
        cf_map_array(pool, christmas, years, size, COUNT, weekdays, size, NULL);
    if (err != CF_OK)
        return err;
    for (int i = 0; i < COUNT; i++)
        sundays += weekdays[i] == 0;
    printf("%d Sundays in %d years from %d on\n", sundays, COUNT, FIRST);
    return CF_OK;
}

int
main(void)
{
    static const int years[] = {2024, 2025, 1500, 2026, 2027};
    cf_executor *pool = NULL;
    cf_err err = cf_thread_pool_create(NULL, &pool);
    if (err == CF_OK)
        err = print_weekdays(pool, years, sizeof(years) / sizeof(years[0]));
    if (err == CF_OK)
        err = count_sundays(pool);
    cf_executor_destroy(pool);
    if (err != CF_OK)
        fprintf(stderr, "map: %s\n", cf_strerror(err));
    return err != CF_OK;
}
