/* SPDX-License-Identifier: MIT */
/*
 * The inline executor, as the conformance suite gets it. It has one worker,
 * the submitter, however many are asked for.
 */
#include "tests/conformance/conformance.h"

TestSuite(inline_executor, .timeout = 60);

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
