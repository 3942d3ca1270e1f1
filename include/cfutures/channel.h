/* SPDX-License-Identifier: MIT */
/*
 * The channel: items of one size, from any number of senders to any number of
 * receivers, in order. event.h says where it may be used, and what a wait on a
 * thread pool holds.
 */
#ifndef CFUTURES_CHANNEL_H
#define CFUTURES_CHANNEL_H

#include <cfutures/error.h>

CF_BEGIN_DECLS

/**
 * Makes a channel, which is open and empty.
 *
 * @param item_size  Bytes of an item. Items are copied in and out under a lock:
 *                   send a pointer to what is large. With 0 an item is nothing
 *                   but its arrival.
 * @param capacity   So many items wait in the channel at most. 0: none does, so
 *                   a send ends when a receive has the item.
 * @param[out] out   Untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL   out is NULL.
 * @retval CF_ETOOBIG  No object has so many bytes as capacity items.
 * @retval CF_ENOMEM
 *
 * Ownership: *out is the caller's; cf_channel_destroy() it.
 * Threads:   any.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      a child has a copy of its own, with the items that were in it at
 *            the fork. Waits of the parent, and what they were to send, are not
 *            in it.
 * Python:    asyncio.Queue(maxsize), queue.Queue(maxsize). Here 0 is a
 *            rendezvous; for a queue without a bound choose a large capacity:
 *            what is not used costs no memory.
 */
CF_API CF_NODISCARD cf_err cf_channel_create(size_t item_size,
                                             size_t capacity,
                                             cf_channel **out);

/**
 * Frees a channel, and the items in it. Other calls that are under way may
 * still be returning. But if a task or a thread waits to send or to receive,
 * that aborts the program: cf_channel_close() ends such waits.
 *
 * @param channel  NULL is fine.
 *
 * Ownership: the channel is gone. What pointers in it lead to is not freed.
 * Threads:   one; no call on the channel begins afterwards.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      a child frees its copy.
 * Python:    del queue.
 */
CF_API void cf_channel_destroy(cf_channel *channel);

/**
 * Sends an item, and waits for room if there is none.
 *
 * Items come out in the order in which they were sent; those of senders that
 * wait, in the order in which the senders came. A call that returns an error
 * has sent nothing: an item that is taken at that moment makes it return CF_OK.
 *
 * @param item        item_size bytes; NULL is fine if that is 0.
 * @param timeout_ns  CF_FOREVER, 0 to poll, or nanoseconds from now.
 *
 * @retval CF_OK            It is in the channel, or a receive has it.
 * @retval CF_EDONE         The channel is closed.
 * @retval CF_EINVAL        channel or item is NULL, or timeout_ns is below -1.
 * @retval CF_ETIMEDOUT     There was no room in time.
 * @retval CF_EINTERRUPTED, CF_EFORKED  As cf_event_wait().
 *
 * Ownership: item stays the caller's: its bytes are copied.
 * Threads:   any number of callers.
 * Blocks:    as cf_event_wait().
 * Ordering:  what the sender did before is visible to the receiver.
 * Fork:      as cf_channel_create().
 * Python:    await Queue.put(item).
 */
CF_API cf_err cf_channel_send(cf_channel *channel,
                              const void *item,
                              int64_t timeout_ns);

/**
 * Receives the oldest item, and waits for one if there is none.
 *
 * Receivers that wait get items in the order in which they came. A call that
 * returns an error has received nothing, and the item goes to another one: an
 * item that is handed to it at that moment makes it return CF_OK.
 *
 * @param timeout_ns  CF_FOREVER, 0 to poll, or nanoseconds from now.
 * @param[out] out    item_size bytes; NULL is fine if that is 0. Untouched on
 *                    error.
 *
 * @retval CF_OK            *out is the item.
 * @retval CF_EDONE         The channel is closed, and all items are out.
 * @retval CF_EINVAL        channel or out is NULL, or timeout_ns is below -1.
 * @retval CF_ETIMEDOUT     None came in time.
 * @retval CF_EINTERRUPTED, CF_EFORKED  As cf_event_wait().
 *
 * Ownership: the item is the caller's.
 * Threads:   any number of callers.
 * Blocks:    as cf_event_wait().
 * Ordering:  see cf_channel_send().
 * Fork:      as cf_channel_create().
 * Python:    await Queue.get().
 */
CF_API cf_err cf_channel_receive(cf_channel *channel,
                                 int64_t timeout_ns,
                                 void *out);

/**
 * Sends an item if there is room, or a receiver waits.
 *
 * @retval CF_OK      As cf_channel_send().
 * @retval CF_EAGAIN  There is none now.
 * @retval CF_EDONE   The channel is closed.
 * @retval CF_EINVAL  channel or item is NULL.
 *
 * Blocks:    no.
 *
 * The rest as cf_channel_send(). Python: Queue.put_nowait(item).
 */
CF_API cf_err cf_channel_try_send(cf_channel *channel, const void *item);

/**
 * Receives the oldest item if there is one, or a sender waits.
 *
 * @retval CF_OK      As cf_channel_receive().
 * @retval CF_EAGAIN  There is none now.
 * @retval CF_EDONE   The channel is closed, and all items are out.
 * @retval CF_EINVAL  channel or out is NULL.
 *
 * Blocks:    no.
 *
 * The rest as cf_channel_receive(). Python: Queue.get_nowait().
 */
CF_API cf_err cf_channel_try_receive(cf_channel *channel, void *out);

/**
 * Closes the channel: nothing more is sent.
 *
 * Sends return CF_EDONE from now on, also those that wait: they have sent
 * nothing. Receives go on until the channel is empty, then they return
 * CF_EDONE, also those that wait.
 *
 * @retval CF_OK      Closed now, or it was already.
 * @retval CF_EINVAL  channel is NULL.
 *
 * Ownership: nothing changes hands.
 * Threads:   any number of callers.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      as cf_channel_create().
 * Python:    Queue.shutdown().
 */
CF_API cf_err cf_channel_close(cf_channel *channel);

/**
 * Returns how many items are in the channel; 0 for NULL.
 *
 * Ownership: nothing changes hands.
 * Threads:   any number of callers; it may have changed since.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      as cf_channel_create().
 * Python:    Queue.qsize().
 */
CF_API size_t cf_channel_count(cf_channel *channel);

CF_END_DECLS

#endif
