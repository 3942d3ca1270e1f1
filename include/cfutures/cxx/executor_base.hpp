/* SPDX-License-Identifier: MIT */
/* What every executor does. */
#ifndef CFUTURES_CXX_EXECUTOR_BASE_HPP
#define CFUTURES_CXX_EXECUTOR_BASE_HPP

#include <cfutures/cxx/results.hpp>
#include <cfutures/cxx/shared.hpp>

namespace cf
{

namespace detail
{

/* A result is a value, a reference to what lives on, or nothing. */
template <class R>
using result_t =
    std::conditional_t<std::is_lvalue_reference_v<R>,
                       R,
                       std::remove_cv_t<std::remove_reference_t<R>>>;

/* A callable whose exceptions end the program, as those of a std::thread. */
template <class F> struct detached {
    F f;
    template <class... A>
    auto operator()(A &&...a) -> std::enable_if_t<std::is_invocable_v<F, A...>>
    {
        unless_thrown(
            [&] { detail::invoke(std::move(f), std::forward<A>(a)...); },
            [] { std::terminate(); });
    }
};

template <class T>
using unless_options =
    std::enable_if_t<!std::is_same_v<std::decay_t<T>, options>>;

} // namespace detail

/*
 * What every executor does. f may take a cf::call first; it is copied or moved
 * into the task, as are its arguments, and they are given to it as rvalues:
 * std::ref() for what is not to be copied.
 *
 * Threads:  any number of callers, also tasks of the executor.
 * Blocks:   as cf_submit(); map(), parallel_for() and reduce() until all is
 *           done. In a task, the caller takes part in the work.
 * Ordering: writes before the call are visible to f.
 * Fork:     cf::error with CF_EFORKED in a child of the program.
 * Python:   concurrent.futures.Executor.
 *
 * All throw std::bad_alloc, or cf::error with the errors of cf_submit(); then
 * nothing has been submitted.
 */
template <reach Reach> class executor_base
{
  public:
    /* A future of f(args...). */
    template <class F, class... A, class = detail::unless_options<F>>
    auto submit(F &&f, A &&...args) const
    {
        return make_future(
            nullptr, std::forward<F>(f), std::forward<A>(args)...);
    }
    template <class F, class... A>
    auto submit(const options &how, F &&f, A &&...args) const
    {
        return make_future(
            &how.task(), std::forward<F>(f), std::forward<A>(args)...);
    }
    /* f(args...) without a future. An exception that leaves f ends the program
     * by std::terminate(), or the worker process. */
    template <class F, class... A, class = detail::unless_options<F>>
    void detach(F &&f, A &&...args) const
    {
        make_detached(nullptr, std::forward<F>(f), std::forward<A>(args)...);
    }
    template <class F, class... A>
    void detach(const options &how, F &&f, A &&...args) const
    {
        make_detached(
            &how.task(), std::forward<F>(f), std::forward<A>(args)...);
    }

    /* A std::vector of f(item) for the items of a range, in order. If some
     * fail, the first one's exception among those that ran is thrown, when
     * nothing of it runs any more; in worker processes, what runs is told to
     * stop, and goes on. f is called by several threads at once. */
    template <class F, class Range>
    auto map(F &&f, Range &&range, const map_options &how = {}) const
    {
        return detail::map<Reach>(ex_, f, std::forward<Range>(range), how);
    }
    /* The same one by one: see cf::results. */
    template <class F, class Range>
    auto imap(F &&f, Range &&range, const map_options &how = {}) const
    {
        using item = detail::value_of<Range>;
        static_assert(detail::outcome<std::decay_t<F>, item>::ok,
                      "cf::imap: the callable cannot be called with an item of "
                      "the range");
        using result =
            detail::result_t<detail::outcome_t<std::decay_t<F>, item>>;
        return results<Reach, result, std::decay_t<F>, Range>(
            ex_, std::forward<F>(f), std::forward<Range>(range), how);
    }
    /* f(i), or f(begin, end), for all of begin .. end - 1. It is not copied:
     * references to the caller's variables are fine. The first exception is
     * thrown when nothing of it runs any more. */
    template <class F>
    void parallel_for(std::size_t begin,
                      std::size_t end,
                      F &&f,
                      std::size_t grain = 0) const
    {
        need_memory<F>("parallel_for()");
        detail::parallel_for(ex_, begin, end, f, grain);
    }
    /* op(... op(op(identity, f(begin)), f(begin + 1)) ...), in parallel: op is
     * associative, and op(identity, x) is x. Which results meet depends on
     * begin, end and grain only: so does the rounding of numbers. */
    template <class T, class F, class Op>
    T reduce(std::size_t begin,
             std::size_t end,
             T identity,
             F &&f,
             Op &&op,
             std::size_t grain = 0) const
    {
        need_memory<F>("reduce()");
        return detail::reduce(ex_, begin, end, identity, f, op, grain);
    }

    /* count new T in memory that the tasks see at the same address, in worker
     * processes too: see cf::shared. */
    template <class T> shared<T> make_shared_array(std::size_t count) const
    {
        return shared<T>(ex_, count);
    }

    /* As cf_executor_wait_idle(). */
    void wait_idle() const
    {
        detail::check(cf_executor_wait_idle(ex_, -1));
    }
    template <class D> bool wait_idle(const D &timeout) const
    {
        return in_time(cf_executor_wait_idle(ex_, detail::to_ns(timeout)));
    }
    /* Takes no more tasks, and waits until those that it has are done. False:
     * they were not done in time, and go on. */
    template <class D = forever_t> bool shutdown(const D &timeout = {}) const
    {
        return in_time(cf_executor_shutdown(ex_, 0, detail::to_ns(timeout)));
    }
    /* The same, but what has not begun is cancelled. */
    template <class D = forever_t>
    bool cancel_and_shutdown(const D &timeout = {}) const
    {
        return in_time(cf_executor_shutdown(
            ex_, CF_SHUTDOWN_CANCEL, detail::to_ns(timeout)));
    }
    cf_stats stats() const
    {
        cf_stats now;
        detail::check(cf_executor_stats(ex_, &now));
        return now;
    }
    int max_workers() const noexcept
    {
        return cf_executor_max_workers(ex_);
    }
    /* Lent, for calls of C. */
    cf_executor *handle() const noexcept
    {
        return ex_;
    }

  protected:
    explicit executor_base(cf_executor *ex) noexcept : ex_(ex)
    {
    }
    cf_executor *ex_;

  private:
    static bool in_time(cf_err err)
    {
        if (err == CF_ETIMEDOUT)
            return false;
        detail::check(err);
        return true;
    }
    template <class F> void need_memory(const char *what) const
    {
        static_assert(Reach != reach::processes || sizeof(F) == 0,
                      "cf::process_pool: parallel_for() and reduce() need the "
                      "program's memory, which worker processes do not share: "
                      "use map()");
        if constexpr (Reach == reach::anywhere)
            detail::need_shared_memory(ex_, what);
    }
    template <class F, class... A>
    auto make_future(const cf_task *attributes, F &&f, A &&...args) const
    {
        using how = detail::outcome<std::decay_t<F>, std::decay_t<A>...>;
        using result = detail::result_t<typename how::type>;
        static_assert(how::ok,
                      "cf::submit: the callable cannot be called with these "
                      "arguments, with or without a cf::call first: they are "
                      "copied, and given as rvalues");
        using object = std::conditional_t<std::is_void_v<result> ||
                                              std::is_reference_v<result>,
                                          char,
                                          result>;
        using job = detail::job<std::decay_t<F>, std::decay_t<A>...>;
        static_assert(alignof(object) <= alignof(std::max_align_t) &&
                          alignof(job) <= alignof(std::max_align_t),
                      "cf::submit: a result or an argument is aligned more "
                      "than malloc() aligns: give a pointer to it");
        static_assert(std::is_nothrow_destructible_v<object> &&
                          std::is_nothrow_destructible_v<job>,
                      "cf::submit: the destructor of a result or an argument "
                      "may throw, where no one can catch it");
        detail::handle made;
        bool coded = false;
        if constexpr (how::ok)
            detail::
                submit_job<Reach, result, std::decay_t<F>, std::decay_t<A>...>(
                    {ex_, attributes, made.out()},
                    &coded,
                    {{{std::forward<F>(f)}, {std::forward<A>(args)}...}});
        return future<result>(std::move(made), coded);
    }
    template <class F, class... A>
    void make_detached(const cf_task *attributes, F &&f, A &&...args) const
    {
        using callable = detail::detached<std::decay_t<F>>;
        constexpr bool ok =
            detail::outcome<std::decay_t<F>, std::decay_t<A>...>::ok;
        static_assert(ok,
                      "cf::detach: the callable cannot be called with "
                      "these arguments, with or without a cf::call first: "
                      "they are copied, and given as rvalues");
        bool coded = false;
        if constexpr (ok)
            detail::submit_job<Reach, void, callable, std::decay_t<A>...>(
                {ex_, attributes, nullptr},
                &coded,
                {{{callable{std::forward<F>(f)}}, {std::forward<A>(args)}...}});
    }
};

} // namespace cf

#endif
