/* SPDX-License-Identifier: MIT */
/*
 * The seam between the payload workload and its subjects: large arguments to
 * worker processes, and results as large back.
 *
 * PAYLOAD_COPY: the submitter has its payload in memory of its own, and the
 * result may be anywhere. PAYLOAD_PLACE: the submitter made its payload where
 * the workers see it, and a worker makes its result where the submitter sees
 * it, so that the task's own copy from one to the other is the only one.
 */
#ifndef BENCH_PROCESS_PAYLOAD_PAYLOAD_H
#define BENCH_PROCESS_PAYLOAD_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum payload_mode { PAYLOAD_COPY, PAYLOAD_PLACE } payload_mode;

#define PAYLOAD_MAX ((size_t)16 << 20) /* bytes */
#define PAYLOAD_PER_WORKER 2           /* payloads under way */

void payload_open(int workers);
void payload_close(void);

/* Makes slots 0 .. slots - 1 ready for payloads of size bytes; false: the
 * subject has no such mode. slots is workers * PAYLOAD_PER_WORKER. */
bool payload_begin(payload_mode mode, size_t size, int slots);
void payload_end(void);

/* Where the payload of a slot is made, between payload_begin() and _end(). */
uint64_t *payload_input(int slot);

/* Submits a slot's payload to a worker, which answers with the same bytes. */
void payload_submit(int slot);

/* Waits for the answer; it is the caller's until payload_release(). Slots are
 * asked in the order in which they were submitted. */
const uint64_t *payload_result(int slot);
void payload_release(int slot);

#endif
