/* SPDX-License-Identifier: MIT */
/*
 * cf::task_group: tasks that end before the group does. So they may use
 * references to the variables around it.
 */
#ifndef CFUTURES_CXX_GROUP_HPP
#define CFUTURES_CXX_GROUP_HPP

#include <cfutures/cxx/executor.hpp>

namespace cf
{

/*
 *     cf::task_group group(pool);
 *     for (auto &file : files)
 *         group.run([&] { check(file); });
 *     group.join();
 *
 * If a task throws, the others are told to stop, those that have not begun
 * never do, and join() throws that exception.
 *
 * Ownership: the executor outlives the group. The destructor waits for the
 *            tasks; while an exception unwinds the stack, and for a group that
 *            was cancelled, it tells them to stop first. What they throw it
 *            drops: join() says it.
 * Threads:   any; tasks of the group may run() more.
 * Blocks:    join() and the destructor, as cf_group_wait().
 * Ordering:  everything the tasks did is visible after join().
 * Fork:      as cf_group_create().
 * Python:    asyncio.TaskGroup.
 */
class task_group
{
  public:
    /* max_running: so many tasks at once; 0: no limit. cf::error with
     * CF_ENOTSUP if the executor's tasks do not share the program's memory. */
    explicit task_group(executor_ref ex, std::size_t max_running = 0)
        : unwinding_(std::uncaught_exceptions())
    {
        detail::need_shared_memory(ex.handle(), "cf::task_group");
        cf_group_options how = CF_GROUP_OPTIONS_INIT;
        how.max_running = max_running;
        detail::check(cf_group_create(ex.handle(), &how, &group_));
        ex_ = ex.handle();
    }
    explicit task_group(const executor_base<reach::processes> &) = delete;
    task_group(const task_group &) = delete;
    task_group &operator=(const task_group &) = delete;
    ~task_group()
    {
        if (std::uncaught_exceptions() == unwinding_)
            cf_group_wait(group_, -1);
        cf_group_destroy(group_);
    }
    /* f(args...) as a task. False: the group has been told to stop, and f will
     * not run. What f returns is dropped. */
    template <class F, class... A> bool run(F &&f, A &&...args)
    {
        constexpr bool ok =
            detail::outcome<std::decay_t<F>, std::decay_t<A>...>::ok;
        static_assert(ok,
                      "cf::task_group: the callable cannot be called with "
                      "these arguments, with or without a cf::call first: "
                      "they are copied, and given as rvalues");
        if constexpr (ok) {
            detail::job<std::decay_t<F>, std::decay_t<A>...> job{
                {{std::forward<F>(f)}, {std::forward<A>(args)}...}};
            const cf_err err = detail::
                submit_shared<void, std::decay_t<F>, std::decay_t<A>...>(
                    {ex_, nullptr, nullptr, group_}, job);
            if (err == CF_ECANCELED)
                return false;
            detail::check(err);
        }
        return true;
    }
    /* Waits until all tasks have ended, and throws the exception of the one
     * that failed first, or cf::canceled after cancel(). */
    void join()
    {
        const cf_err err = cf_group_wait(group_, -1);
        if (err)
            fail(err);
    }
    /* Tells all tasks to stop; none begins any more. */
    void cancel() noexcept
    {
        cf_group_cancel(group_);
    }

  private:
    [[noreturn]] void fail(cf_err err)
    {
        const cf_error *first = cf_group_error(group_);
        if (first && first->kind == err)
            detail::throw_failure(*first);
        detail::throw_error(err);
    }

    cf_group *group_ = nullptr;
    cf_executor *ex_ = nullptr;
    int unwinding_;
};

} // namespace cf

#endif
