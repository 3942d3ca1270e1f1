/* SPDX-License-Identifier: MIT */
/*
 * Names and texts of errors. Their values are ABI: the table here is the one
 * place that would notice a renumbering.
 */
#include <cfutures/cfutures.h>
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

TestSuite(error, .timeout = 10);

static const struct {
    cf_err err;
    int value;
    const char *name;
} known[] = {{CF_OK, 0, "CF_OK"},
             {CF_EINVAL, 1, "CF_EINVAL"},
             {CF_ENOMEM, 2, "CF_ENOMEM"},
             {CF_ETIMEDOUT, 3, "CF_ETIMEDOUT"},
             {CF_ECANCELED, 4, "CF_ECANCELED"},
             {CF_ESHUTDOWN, 5, "CF_ESHUTDOWN"},
             {CF_EBROKEN, 6, "CF_EBROKEN"},
             {CF_ESTATE, 7, "CF_ESTATE"},
             {CF_EAGAIN, 8, "CF_EAGAIN"},
             {CF_ENOTSUP, 9, "CF_ENOTSUP"},
             {CF_ETOOBIG, 10, "CF_ETOOBIG"},
             {CF_ETASK, 11, "CF_ETASK"},
             {CF_EWORKERDIED, 12, "CF_EWORKERDIED"},
             {CF_EDEADLINE, 13, "CF_EDEADLINE"},
             {CF_EDEADLK, 14, "CF_EDEADLK"},
             {CF_EFORKED, 15, "CF_EFORKED"},
             {CF_EDONE, 16, "CF_EDONE"},
             {CF_ESYS, 17, "CF_ESYS"},
             {CF_EINTERRUPTED, 18, "CF_EINTERRUPTED"}};
enum { N_KNOWN = sizeof known / sizeof known[0] };

Test(error, every_error_keeps_its_value_and_name)
{
    for (int i = 0; i < N_KNOWN; i++) {
        cr_assert((int)known[i].err == known[i].value, "%s", known[i].name);
        cr_assert_str_eq(cf_err_name(known[i].err), known[i].name);
    }
}

Test(error, every_error_has_a_text_of_its_own)
{
    for (int i = 0; i < N_KNOWN; i++) {
        const char *text = cf_strerror(known[i].err);
        cr_assert(strlen(text) > 0);
        cr_assert_str_neq(text, "unknown error");
        for (int k = 0; k < i; k++)
            cr_assert_str_neq(text, cf_strerror(known[k].err));
    }
}

Test(error, any_other_value_has_a_name_and_a_text_too)
{
    static const int others[] = {-1, N_KNOWN, 1000, INT_MAX, INT_MIN};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        cr_assert_str_eq(cf_err_name((cf_err)others[i]), "CF_UNKNOWN");
        cr_assert_str_eq(cf_strerror((cf_err)others[i]), "unknown error");
    }
}

Test(error, the_initial_error_is_a_failed_task_of_no_worker)
{
    cf_error error = CF_ERROR_INIT;
    cr_assert(error.size == sizeof error && error.kind == CF_ETASK);
    cr_assert(error.code == 0 && error.worker == -1 && error.pid == 0);
    cr_assert_str_eq(error.message, "");
    cr_assert_null(error.file);
}

Test(error, library_and_headers_have_the_same_version)
{
    cr_assert_str_eq(cf_version(), CF_VERSION_STRING);
    char text[32];
    snprintf(text,
             sizeof text,
             "%d.%d.%d",
             CF_VERSION_MAJOR,
             CF_VERSION_MINOR,
             CF_VERSION_PATCH);
    cr_assert_str_eq(text, CF_VERSION_STRING);
}
