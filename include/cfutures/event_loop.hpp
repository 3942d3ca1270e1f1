/* SPDX-License-Identifier: MIT */
/*
 * cf::event_loop, for programs that link libcfutures_loop: tasks are coroutines
 * on one thread, and a wait in one of them lets the others run. It is no
 * matter of C++20: any function may wait, as <cfutures/event_loop.h> says.
 */
#ifndef CFUTURES_EVENT_LOOP_HPP
#define CFUTURES_EVENT_LOOP_HPP

#include <cfutures/cfutures.hpp>
#include <cfutures/event_loop.h>

namespace cf
{

/* Options as in C, all zero: how.stack_size = 65536. */
struct event_loop_options : cf_event_loop_options {
    event_loop_options() noexcept
        : cf_event_loop_options(CF_EVENT_LOOP_OPTIONS_INIT)
    {
    }
};

/* As cf_event_loop_create(). Python: asyncio's event loop. */
class event_loop : public basic_executor<reach::threads>
{
  public:
    explicit event_loop(const cf_event_loop_options &how = event_loop_options())
        : basic_executor(made_by(cf_event_loop_create, how))
    {
    }
};

/*
 * Runs f(args...) in an event loop in the calling thread, and returns what it
 * returns: cf_event_loop_run(). f may take a cf::call, whose executor() is the
 * loop. Python: asyncio.run().
 */
template <class F, class... A>
auto
run_in_loop(const cf_event_loop_options &how, F &&f, A &&...args)
{
    using outcome = detail::outcome<std::decay_t<F>, std::decay_t<A>...>;
    using result = detail::result_t<typename outcome::type>;
    using job = detail::job<std::decay_t<F>, std::decay_t<A>...>;
    static_assert(outcome::ok,
                  "cf::run_in_loop: the callable cannot be called with these "
                  "arguments, with or without a cf::call first: they are "
                  "copied, and given as rvalues");
    if constexpr (outcome::ok) {
        job whole{{{std::forward<F>(f)}, {std::forward<A>(args)}...}};
        detail::handle made;
        /* Only the pointer travels: this outlives the task. */
        const cf_err err = cf_event_loop_run(
            &how,
            detail::task_of<result, std::decay_t<F>, std::decay_t<A>...>,
            &whole,
            0,
            made.out());
        if (err != CF_EINTERRUPTED) /* by Ctrl-C: the future says more */
            detail::check(err);
        return future<result>(std::move(made), false).get();
    }
}

template <class F,
          class... A,
          class = std::enable_if_t<
              !std::is_base_of_v<cf_event_loop_options, std::decay_t<F>>>>
auto
run_in_loop(F &&f, A &&...args)
{
    return run_in_loop(
        event_loop_options(), std::forward<F>(f), std::forward<A>(args)...);
}

} // namespace cf

#endif
