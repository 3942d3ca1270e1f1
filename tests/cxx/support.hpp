/* SPDX-License-Identifier: MIT */
/* What the tests of the C++ headers share. */
#ifndef CF_TESTS_CXX_SUPPORT_HPP
#define CF_TESTS_CXX_SUPPORT_HPP

#include <cfutures/cfutures.hpp>

#include <criterion/criterion.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

/* Holds the tasks that arrive until it is opened. */
class gate
{
  public:
    void pass()
    {
        std::unique_lock<std::mutex> locked(lock_);
        arrived_++;
        changed_.notify_all();
        changed_.wait(locked, [this] { return open_; });
    }
    void await(int count)
    {
        std::unique_lock<std::mutex> locked(lock_);
        changed_.wait(locked, [&] { return arrived_ >= count; });
    }
    void open()
    {
        const std::lock_guard<std::mutex> locked(lock_);
        open_ = true;
        changed_.notify_all();
    }

  private:
    std::mutex lock_;
    std::condition_variable changed_;
    int arrived_ = 0;
    bool open_ = false;
};

/* Counts how many of it live. */
struct counted {
    static inline std::atomic<int> alive{0};
    int value;

    explicit counted(int of) noexcept : value(of)
    {
        alive++;
    }
    counted(const counted &other) noexcept : value(other.value)
    {
        alive++;
    }
    counted(counted &&other) noexcept : value(std::exchange(other.value, -1))
    {
        alive++;
    }
    counted &operator=(const counted &) = default;
    counted &operator=(counted &&) = default;
    ~counted()
    {
        alive--;
    }
};

/* What doing f throws, which has to be an E. */
template <class E, class F>
E
thrown_by(F &&f)
{
    try {
        static_cast<void>(f());
    } catch (const E &thrown) {
        return thrown;
    } catch (const std::exception &other) {
        cr_assert(false, "another exception: %s", other.what());
    } catch (...) {
        cr_assert(false, "another exception");
    }
    cr_assert(false, "no exception");
    throw; /* not reached */
}

template <class F>
cf_err
error_of(F &&f)
{
    return thrown_by<cf::error>(f).kind();
}

#endif
