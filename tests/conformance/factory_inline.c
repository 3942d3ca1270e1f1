/* SPDX-License-Identifier: MIT */
/*
 * The inline executor, as the conformance suite gets it. It has one worker,
 * the submitter, however many are asked for.
 */
#include "tests/conformance/conformance.h"

const char test_name[] = "inline";
const char test_spec[] = "inline";

cf_executor *
test_executor(int workers)
{
    (void)workers;
    cf_executor *ex = NULL;
    assert_ok(cf_inline_create(&ex));
    return ex;
}

/* Only for what is compiled here and is no test (CF_NO_TEST). */
cf_executor *
test_pool(test_options options)
{
    (void)options;
    cr_assert_fail("the inline executor has no pool");
    return NULL;
}
