/* SPDX-License-Identifier: MIT */
/* A lock, without <mutex>: that has half of <chrono>, and takes a compiler as
 * long as all else that the headers include. */
#ifndef CFUTURES_CXX_LOCK_HPP
#define CFUTURES_CXX_LOCK_HPP

#include <pthread.h>

namespace cf
{

namespace detail
{

class lock
{
  public:
    lock() noexcept = default;
    lock(const lock &) = delete;
    lock &operator=(const lock &) = delete;

  private:
    friend class locked;
    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

/* Has a lock until it goes. */
class locked
{
  public:
    explicit locked(lock &of) noexcept : mutex_(&of.mutex_)
    {
        pthread_mutex_lock(mutex_); /* one of this kind cannot fail */
    }
    locked(const locked &) = delete;
    locked &operator=(const locked &) = delete;
    ~locked()
    {
        pthread_mutex_unlock(mutex_);
    }

  private:
    pthread_mutex_t *mutex_;
};

} // namespace detail
} // namespace cf

#endif
