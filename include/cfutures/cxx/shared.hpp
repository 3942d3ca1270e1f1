/* SPDX-License-Identifier: MIT */
/* Memory that worker processes share with the program. */
#ifndef CFUTURES_CXX_SHARED_HPP
#define CFUTURES_CXX_SHARED_HPP

#include <cfutures/cxx/error.hpp>

#include <cstddef>

namespace cf
{

/*
 * An array that the tasks of one executor see at the same address: what
 * make_shared_array() returns. A lambda for worker processes captures its
 * data(), and writes there:
 *
 *     auto squares = processes.make_shared_array<int>(100);
 *     processes.submit([at = squares.data()] { at[7] = 49; }).get();
 *
 * What a T points to is not shared; so T has no destructor. Elements that two
 * tasks write at once are std::atomic.
 *
 * Ownership: of the elements. It goes before its executor does, and when no
 *            task uses it any more.
 * Threads:   any number use the elements.
 * Blocks:    no.
 * Python:    multiprocessing.shared_memory.
 */
template <class T> class shared
{
    static_assert(std::is_trivially_destructible_v<T>,
                  "cf::shared: a type with a destructor owns memory, which "
                  "worker processes would not share");
    static_assert(alignof(T) <= alignof(std::max_align_t),
                  "cf::shared: the type is aligned more than malloc() aligns");

  public:
    shared(cf_executor *ex, std::size_t count) : ex_(ex), size_(count)
    {
        constexpr auto most = std::numeric_limits<std::size_t>::max();
        if (count > most / sizeof(T))
            throw std::bad_array_new_length();
        void *room = cf_shared_alloc(ex, count * sizeof(T));
        if (!room)
            throw std::bad_alloc();
        data_ = static_cast<T *>(room);
        try {
            for (std::size_t i = 0; i < count; i++)
                new (data_ + i) T();
        } catch (...) {
            cf_shared_free(ex, room);
            throw;
        }
    }
    shared(shared &&other) noexcept
        : ex_(other.ex_), size_(std::exchange(other.size_, 0)),
          data_(std::exchange(other.data_, nullptr))
    {
    }
    shared &operator=(shared &&other) noexcept
    {
        shared former(std::move(other));
        std::swap(ex_, former.ex_);
        std::swap(size_, former.size_);
        std::swap(data_, former.data_);
        return *this;
    }
    ~shared()
    {
        if (data_)
            cf_shared_free(ex_, data_);
    }
    /* Const is the array, not its elements. */
    T *data() const noexcept
    {
        return data_;
    }
    std::size_t size() const noexcept
    {
        return size_;
    }
    T &operator[](std::size_t i) const noexcept
    {
        return data_[i];
    }
    T *begin() const noexcept
    {
        return data_;
    }
    T *end() const noexcept
    {
        return data_ + size_;
    }

  private:
    cf_executor *ex_;
    std::size_t size_;
    T *data_ = nullptr;
};

} // namespace cf

#endif
