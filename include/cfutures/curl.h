/* SPDX-License-Identifier: MIT */
/*
 * Transfers by libcurl (HTTP and all else that it knows) that suspend the task
 * and not the thread. In a library of its own: libcfutures_curl, cfutures-curl
 * for pkg-config, cfutures::curl for CMake.
 *
 *     CURL *easy = curl_easy_init();
 *     curl_easy_setopt(easy, CURLOPT_URL, url);
 *     ...
 *     CURLcode code;
 *     cf_err err = cf_curl_perform(call, easy, CF_SECONDS(2), &code);
 *     if (!err && code == CURLE_OK)
 *         curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
 *     curl_easy_cleanup(easy);
 */
#ifndef CFUTURES_CURL_H
#define CFUTURES_CURL_H

#include <cfutures/error.h>

#include <curl/curl.h>

CF_BEGIN_DECLS

/**
 * Performs a transfer, in place of curl_easy_perform().
 *
 * In a task of an event loop the other tasks run meanwhile: the loop drives all
 * of its transfers beside each other. Everywhere else (thread pools, worker
 * processes, the inline executor, plain threads) the calling thread drives this
 * one. A transfer that is given up looks to the server as a client that closes
 * the connection.
 *
 * The callbacks that easy has (CURLOPT_WRITEFUNCTION and so on) run in the
 * thread of the task, and in an event loop on the thread's own stack: they must
 * not wait, nor call this function for a handle of the same loop. Connections
 * stay open for later transfers of the same loop or thread, until that ends: so
 * what CURLOPT_CLOSESOCKETDATA points to has to live as long.
 *
 * curl_global_init() comes first, as for all of libcurl; a program with threads
 * calls it in main() and sets CURLOPT_NOSIGNAL.
 *
 * @param call        The task's own call; NULL outside of tasks. In a task of
 *                    an event loop, NULL makes the transfer hold the loop.
 * @param easy        In no other transfer. All of its options hold; with
 *                    CURLOPT_TIMEOUT_MS it ends by itself.
 * @param timeout_ns  Nanoseconds from now, or CF_FOREVER.
 * @param[out] code   What curl_easy_perform() would return. With CF_ETIMEDOUT
 *                    it is CURLE_OPERATION_TIMEDOUT, with CF_EINTERRUPTED
 *                    CURLE_ABORTED_BY_CALLBACK; else untouched on error.
 *
 * @retval CF_OK           The transfer has ended, well or not: *code says how.
 * @retval CF_EINVAL       easy or code is NULL, timeout_ns is below -1, or easy
 *                         is in a transfer already.
 * @retval CF_ETIMEDOUT    It took longer. What has come has been handed out.
 * @retval CF_EINTERRUPTED The task has been told to stop, or a scope has
 *                         struck. A thread that drives the transfer itself
 *                         looks for that 50 times a second.
 * @retval CF_ENOMEM, CF_ESYS  With errno: it did not begin, or broke off.
 *
 * After an error the transfer is over, and easy the caller's as before. If the
 * transfer had begun, its CURLOPT_QUICK_EXIT is 1: else libcurl would hold the
 * thread until a name lookup under way ends.
 *
 * Ownership: easy stays the caller's, who uses it again or cleans it up.
 * Threads:   any; one at a time uses easy.
 * Blocks:    until the transfer ends.
 * Ordering:  what the transfer wrote is visible to the caller.
 * Fork:      in a child of a task it works. A child never uses connections of
 *            its parent.
 * Python:    await session.get(url), with aiohttp; requests.get().
 */
CF_API CF_NODISCARD cf_err cf_curl_perform(cf_call *call,
                                           CURL *easy,
                                           int64_t timeout_ns,
                                           CURLcode *code);

CF_END_DECLS

#endif
