/* SPDX-License-Identifier: MIT */
/*
 * A loop inside of a program's own uv_loop_t (the option uv_loop). The loop has
 * a uv_loop_t of its own all the same: the program's watches the descriptor of
 * that. README.md, "Inside of a program's libuv".
 */
#ifndef CF_EVENT_LOOP_EMBED_H
#define CF_EVENT_LOOP_EMBED_H

#include "event_loop/loop.h"

/* Opens handles in loop->options.uv_loop, whose thread calls this. On error
 * nothing is left but what that closes by itself. */
cf_err cf__embed(struct cf__evloop *loop);

/* In the thread of uv_loop, outside of tasks: runs the loop until it has ended.
 * CF_OK, CF_ETIMEDOUT, CF_EFORKED. */
cf_err cf__embed_await(struct cf__evloop *loop, int64_t deadline_ns);

/* --- what turn.c, thread.c and sleep.c have for it ------------------------ */

/* It has been shut down, and nothing is left. */
bool cf__evloop_is_over(struct cf__evloop *loop);

/* Part of a turn: all but the sleep. true: tasks have begun. */
bool cf__evloop_work(struct cf__evloop *loop);

/* For a loop inside of another one: at most so many turns, while there is
 * something to do. false: this is a fork's child. */
bool cf__evloop_take_turns(struct cf__evloop *loop, int rounds);

/* Between turns, with the mark: sleeps in libuv, at most until the deadline. */
void cf__evloop_sleep_in_engine(struct cf__evloop *loop, int64_t deadline_ns);

/* What follows the last turn. The loop may have been freed. */
void cf__evloop_finish(struct cf__evloop *loop);

/* What a sleep begins with, but for looking whether there is work: answers who
 * asks whether it is idle. */
void cf__evloop_be_idle(struct cf__evloop *loop);

/* Takes the mark of a sleep in libuv away, if the loop has put it into woken.
 * If it is gone, another thread has taken it, and sends. */
void cf__evloop_unmark(struct cf__evloop *loop);

#endif
