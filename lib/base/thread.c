/* SPDX-License-Identifier: MIT */
#include "lib/base/thread.h"

_Thread_local struct cf__thread cf__thread;
