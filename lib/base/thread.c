/* SPDX-License-Identifier: MIT */
/* The variable of thread.h. */
#include "lib/base/thread.h"

_Thread_local struct cf__thread cf__thread;
