/* SPDX-License-Identifier: MIT */
/* What comes before each left column of docs/coming-from/onetbb.md. */
#include <oneapi/tbb.h>

#include <cmath>
#include <cstdio>
#include <functional>
#include <optional>
