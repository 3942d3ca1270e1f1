/* SPDX-License-Identifier: MIT */
/*
 * Executors: cf::thread_pool, cf::process_pool, cf::executor of a text such as
 * "threads:8", and cf::executor_ref, which functions take.
 */
#ifndef CFUTURES_CXX_EXECUTOR_HPP
#define CFUTURES_CXX_EXECUTOR_HPP

#include <cfutures/cxx/executor_base.hpp>

namespace cf
{

/* An executor that belongs to someone else, for as long as that one lives. Any
 * executor is one; so functions that submit take this. */
class executor_ref : public executor_base<reach::anywhere>
{
  public:
    explicit executor_ref(cf_executor *ex) noexcept : executor_base(ex)
    {
    }
    template <reach Reach>
    executor_ref(const executor_base<Reach> &of) noexcept // NOLINT: converts
        : executor_base(of.handle())
    {
    }
};

inline executor_ref
call::executor() const noexcept
{
    return executor_ref(cf_call_executor(handle_));
}

/* An executor of one's own. Its destructor runs what is queued, and joins:
 * cf_executor_destroy(). */
template <reach Reach> class basic_executor : public executor_base<Reach>
{
  public:
    basic_executor(basic_executor &&other) noexcept
        : executor_base<Reach>(std::exchange(other.ex_, nullptr))
    {
    }
    basic_executor &operator=(basic_executor &&other) noexcept
    {
        if (this != &other)
            cf_executor_destroy(
                std::exchange(this->ex_, std::exchange(other.ex_, nullptr)));
        return *this;
    }
    ~basic_executor()
    {
        cf_executor_destroy(this->ex_);
    }

  protected:
    explicit basic_executor(cf_executor *ex) noexcept : executor_base<Reach>(ex)
    {
    }
    /* What a constructor of C has made. */
    template <class Options>
    static cf_executor *made_by(cf_err (*create)(const Options *,
                                                 cf_executor **),
                                const Options &how)
    {
        cf_executor *ex = nullptr;
        detail::check(create(&how, &ex));
        return ex;
    }
};

/* Options as in C, all zero: how.queue_capacity = 100. */
struct thread_pool_options : cf_thread_pool_options {
    thread_pool_options() noexcept
        : cf_thread_pool_options(CF_THREAD_POOL_OPTIONS_INIT)
    {
    }
};
struct process_pool_options : cf_process_pool_options {
    process_pool_options() noexcept
        : cf_process_pool_options(CF_PROCESS_POOL_OPTIONS_INIT)
    {
    }
};

/* Workers are threads of the program. Python: ThreadPoolExecutor. */
class thread_pool : public basic_executor<reach::threads>
{
  public:
    /* 0: as many as there are CPUs. */
    explicit thread_pool(int workers = 0) : thread_pool(with(workers))
    {
    }
    explicit thread_pool(const cf_thread_pool_options &how)
        : basic_executor(made_by(cf_thread_pool_create, how))
    {
    }

  private:
    static thread_pool_options with(int workers)
    {
        thread_pool_options how;
        how.max_workers = workers;
        return how;
    }
};

/*
 * Workers are processes, forked from a snapshot of the program as it is now:
 * make it early. Callables are trivially copyable, and arguments and results
 * are too, or have a cf::codec. A pointer that a lambda captures is not seen at
 * compile time: it is good for memory of make_shared_array(), and for what the
 * program had when the pool was made. Python: ProcessPoolExecutor.
 */
class process_pool : public basic_executor<reach::processes>
{
  public:
    explicit process_pool(int workers = 0) : process_pool(with(workers))
    {
    }
    explicit process_pool(const cf_process_pool_options &how)
        : basic_executor(made_by(cf_process_pool_create, how))
    {
    }

  private:
    static process_pool_options with(int workers)
    {
        process_pool_options how;
        how.max_workers = workers;
        return how;
    }
};

/* Any executor, of a text that a user gave: "threads", "threads:8",
 * "processes:4", "inline"; in a program that links libcfutures_loop "loop". */
class executor : public basic_executor<reach::anywhere>
{
  public:
    explicit executor(const char *spec) : basic_executor(opened(spec))
    {
    }
    explicit executor(const std::string &spec) : executor(spec.c_str())
    {
    }

  private:
    static cf_executor *opened(const char *spec)
    {
        cf_executor *ex = nullptr;
        const cf_err err = cf_executor_open(spec, &ex);
        if (err == CF_EINVAL)
            detail::throw_error(err,
                                std::string("cf::executor: '") +
                                    (spec ? spec : "") + "' is none of " +
                                    cf_executor_specs());
        detail::check(err);
        return ex;
    }
};

} // namespace cf

#endif
