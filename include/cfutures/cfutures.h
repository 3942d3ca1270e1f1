/* SPDX-License-Identifier: MIT */
/*
 * libcfutures: Python's concurrent.futures for C. This header is all of it.
 * The headers of its components, such as event_loop.h, are apart.
 */
#ifndef CFUTURES_CFUTURES_H
#define CFUTURES_CFUTURES_H

#include <cfutures/base.h>
#include <cfutures/channel.h>
#include <cfutures/error.h>
#include <cfutures/event.h>
#include <cfutures/executor.h>
#include <cfutures/future.h>
#include <cfutures/group.h>
#include <cfutures/map.h>
#include <cfutures/process_pool.h>
#include <cfutures/scope.h>
#include <cfutures/semaphore.h>
#include <cfutures/spawn.h>
#include <cfutures/submit.h>
#include <cfutures/task.h>
#include <cfutures/thread_pool.h>
#include <cfutures/typed.h>
#include <cfutures/wait.h>

#endif
