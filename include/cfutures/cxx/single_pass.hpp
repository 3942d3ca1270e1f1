/* SPDX-License-Identifier: MIT */
/* The iterator of ranges that are gone through once. */
#ifndef CFUTURES_CXX_SINGLE_PASS_HPP
#define CFUTURES_CXX_SINGLE_PASS_HPP

#include <cstddef>
#include <type_traits>
#include <vector> /* for std::input_iterator_tag: <iterator> has streams */

namespace cf
{

namespace detail
{

/* Of a range that has current(), advance() and at_end(). Reference is what
 * current() returns: a reference, or a value. */
template <class Of, class Reference> class single_pass
{
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = std::remove_reference_t<Reference>;
    using difference_type = std::ptrdiff_t;
    using pointer =
        std::conditional_t<std::is_reference_v<Reference>, value_type *, void>;
    using reference = Reference;

    /* nullptr: the end. */
    explicit single_pass(Of *of = nullptr) noexcept : of_(of)
    {
    }
    reference operator*() const
    {
        return of_->current();
    }
    pointer operator->() const
    {
        return &of_->current();
    }
    single_pass &operator++()
    {
        of_->advance();
        return *this;
    }
    void operator++(int)
    {
        of_->advance();
    }
    /* The only thing to compare with is the end. */
    friend bool operator==(const single_pass &a, const single_pass &b) noexcept
    {
        return a.at_end() == b.at_end();
    }
    friend bool operator!=(const single_pass &a, const single_pass &b) noexcept
    {
        return !(a == b);
    }

  private:
    bool at_end() const noexcept
    {
        return !of_ || of_->at_end();
    }
    Of *of_;
};

} // namespace detail

} // namespace cf

#endif
