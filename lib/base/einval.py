import re
T='CF__BAD_TIMEOUT'
def n(*names): # first NULL of these
    return [('!'+x,'"%s is NULL"'%x) for x in names]
# file -> list of (occurrence order) (of or None for __func__, [(cond,reason)...], last reason)
def site(conds,last,of=None): return (of,conds,last)
M={
'lib/executor/wait_one.c':[site(n('f'),T),site(n('f'),T)],
'lib/executor/ask.c':[site(n('f'),'"fn is NULL"')],
'lib/executor/job.c':[site([],'"fn is NULL"','cf_spawn'),site([],'"job is NULL"')],
'lib/executor/manage.c':[site(n('ex'),T),site(n('ex')+[('flags & ~known','"flags has an unknown bit"')],T),site(n('ex'),'"signo is no signal"'),site(n('ex'),'"out is NULL"')],
'lib/executor/pause.c':[site([],T)],
'lib/executor/when.c':[site([],'"one of the inputs is NULL"','cf_submit_when'),site(n('ex','task'),'"inputs is NULL"')],
'lib/executor/result.c':[site(n('call'),'"data is NULL, but size is not 0"'),site(n('call'),'"size is more than the result has"'),site(n('call'),'"data is NULL, but size is not 0"'),site(n('call'),'"the call has no result of its own"')],
'lib/executor/scope.c':[site(n('out'),T),site(n('scope'),'"it is not the innermost scope of this thread"'),site(n('scope'),T),site([],'"it is no scope of this thread"')],
'lib/executor/submit.c':[site(n('ex','fn'),'"arg is NULL, but arg_size is not 0"'),None,None,site(n('ex'),'"task is NULL"')],
'lib/executor/open.c':[site(n('spec'),'"out is NULL"'),site([],'"spec is none of cf_executor_specs()"')],
'lib/executor/submit_many.c':[site(n('ex','fn'),'"args is NULL, but arg_size and count are not 0"')],
'lib/many/wait.c':[site([('!futures && count','"futures is NULL"'),('(unsigned)when > CF_ALL_COMPLETED','"when is no cf_return_when"')],T),site([],'"one of the futures is NULL"')],
'lib/many/group.c':[site(n('ex'),'"out is NULL"'),site([],'"on_error has no such value"','cf_group_options'),site(n('group'),'"task is NULL"'),site(n('group'),T)],
'lib/many/as_completed.c':[site(n('out'),'"futures is NULL"'),site([],'"one of the futures is NULL"'),site(n('it'),'"f is NULL"'),site(n('it','out'),T)],
'lib/many/reduce.c':[site(n('ex','fn','combine','identity','result'),'"size is 0"')],
'lib/many/results.c':[site(n('r'),T)],
'lib/many/map_array.c':[site(n('ex','fn')+[('item_size == 0','"item_size is 0"'),('!items','"items is NULL"')],'"results is NULL"'),site([('options.pull','"pull is set"'),('options.item_free','"item_free is set"')],T)],
'lib/many/loop.c':[site(n('ex'),'"fn is NULL"')],
'lib/many/map.c':[site([('!r->ex','"ex is NULL"'),('!r->fn','"fn is NULL"'),('!out','"out is NULL"'),('r->item_size == 0','"item_size is 0"'),('!cf__timeout_valid(options->timeout_ns)',T),('options->pull','"there are items, and pull is set"')],'"items is NULL"','cf_map')],
'lib/sync/event.c':[site([],'"out is NULL"'),site([],'"event is NULL"'),site([],'"event is NULL"'),site(n('event'),T)],
'lib/sync/semaphore.c':[site([],'"out is NULL"'),site([],'"semaphore is NULL"'),site(n('semaphore'),T),site([],'"semaphore is NULL"')],
'lib/sync/channel.c':[site([],'"out is NULL"'),site(n('channel')+[('!is_item(channel, item)','"item is NULL"')],T),site(n('channel')+[('!is_item(channel, out)','"out is NULL"')],T),site(n('channel'),'"item is NULL"'),site(n('channel'),'"out is NULL"'),site([],'"channel is NULL"')],
'lib/future/promise.c':[site([],'"out is NULL"'),site(n('f')+[('f->executor','"f is not of cf_future_create()"')],'"data is NULL, but size is not 0"'),site(n('f')+[('f->executor','"f is not of cf_future_create()"')]+n('ops','object'),'"ops->size is 0"'),site(n('f')+[('f->executor','"f is not of cf_future_create()"')],'"error is NULL"'),site([],'"its kind is none that a task can have"','cf_error')],
'lib/base/options.c':[site([],'"size is not that of a struct: CF_TASK(), CF_..._OPTIONS() and CF_..._INIT set it"','a struct that begins with its size')],
'thread_pool/create.c':[site([('options->max_workers < 0','"max_workers is negative"'),('options->max_workers > CF__WORKERS_MAX','"max_workers is too large"'),('options->queue_policy > CF_QUEUE_CALLER_RUNS','"queue_policy has no such value"'),('!cf__timeout_valid(options->idle_timeout_ns)','"idle_timeout_ns is below -1"')],'"stack_size is below PTHREAD_STACK_MIN"','cf_thread_pool_options'),site([],'"out is NULL"')],
'process_pool/create.c':[site([('options->max_workers < 0','"max_workers is negative"'),('options->max_workers > CF__PROCESSES_MAX','"max_workers is too large"'),('options->queue_policy > CF_QUEUE_CALLER_RUNS','"queue_policy has no such value"'),('options->on_worker_death > CF_WORKER_BREAK','"on_worker_death has no such value"'),('options->kill_grace_ns < 0','"kill_grace_ns is negative"')],'"stack_size is below PTHREAD_STACK_MIN"','cf_process_pool_options'),site([],'"out is NULL"')],
'process_pool/absent.c':[site([],'"out is NULL"')],
}
for p,sites in M.items():
    s=open(p).read(); parts=s.split('return CF_EINVAL;')
    assert len(parts)-1==len(sites),(p,len(parts)-1,len(sites))
    out=parts[0]
    for st,rest in zip(sites,parts[1:]):
        if st is None: out+='return CF_EINVAL;'+rest; continue
        of,conds,last=st
        of='__func__' if of is None else '"%s"'%of
        e=last
        for c,r in reversed(conds): e='%s ? %s : %s'%(c if re.match(r'^[!\w.>()-]+$',c) else c,r,e)
        out+='return cf__einval(%s, %s);'%(of,e)+rest
    inc='#include "lib/base/einval.h"\n'
    # first "lib/base/..." include group, sorted roughly; clang-format sorts within block
    m=re.search(r'^#include "lib/base/.*\n',out,re.M)
    if m: out=out[:m.start()]+inc+out[m.start():]
    else:
        m=list(re.finditer(r'^#include "lib/[^\n]*\n',out,re.M))
        own=re.search(r'^#include "[^\n]*\n',out,re.M)
        if len(m)>1: out=out[:m[1].start()]+inc+out[m[1].start():]
        elif own: out=out[:own.end()]+'\n'+inc+out[own.end():].lstrip('\n') if False else out[:own.end()]+'\n'+inc+out[own.end():]
        else: raise SystemExit(p)
    open(p,'w').write(out)
s=open('lib/executor/submit.c').read()
a=s.index('static cf_err\ncheck_task(const cf_task *task)'); b=s.index('}\n',a)
s=s[:a]+'''/* What is wrong with a task that check_task() refuses. */
__attribute__((cold)) static const char *
wrong_in(const cf_task *task)
{
    const cf_object_ops *ops = task->arg_ops;
    if (!task->fn)
        return "fn is NULL";
    if (!task->arg && task->arg_size)
        return "arg is NULL, but arg_size is not 0";
    if (!cf__timeout_valid(task->timeout_ns))
        return "timeout_ns is below -1, which is CF_FOREVER";
    if (task->delay_ns < 0)
        return "delay_ns is negative";
    if (task->flags & ~(unsigned)CF_WHEN_ANYWAY)
        return "flags has an unknown bit";
    if (task->arg_free && task->arg_size)
        return "arg_free is set, but arg_size bytes are copied: nothing is "
               "left to free";
    if (ops && !task->arg)
        return "arg_ops is set, but arg is NULL";
    if (ops && ops->size == 0)
        return "arg_ops->size is 0";
    if (ops && task->arg_free)
        return "arg_ops and arg_free are set";
    return "arg_size is neither 0 nor arg_ops->size";
}

'''+s[a:b].replace('return CF_EINVAL;','return cf__einval("cf_task", wrong_in(task));')+s[b:]
open('lib/executor/submit.c','w').write(s)
p='lib/base/observer.h'; s=open(p).read()
s=s.replace('''    CF__OBSERVES_USE = 1 << 2
''','''    CF__OBSERVES_USE = 1 << 2,
    /* ... to abort: a call that returns CF_EINVAL ends the program. */
    CF__OBSERVES_STRICTLY = 1 << 3
''').replace("/* CF_DEBUG is set: futures are counted, and their memory rests. */","/* CF_DEBUG is set: futures are counted, their memory rests, and CF_EINVAL\n     * has a reason. */")
open(p,'w').write(s)
p='lib/base/observer.c'; s=open(p).read()
s=s.replace('''    if (debug && debug[0] == '1' && debug[1] == '\\0')
        cf__observers |= CF__OBSERVES_USE;
''','''    if (debug && strcmp(debug, "1") == 0)
        cf__observers |= CF__OBSERVES_USE;
    if (debug && strcmp(debug, "abort") == 0)
        cf__observers |= CF__OBSERVES_USE | CF__OBSERVES_STRICTLY;
''').replace('#include <stdlib.h>\n','#include <stdlib.h>\n#include <string.h>\n')
open(p,'w').write(s)
p='lib/base/CMakeLists.txt'; s=open(p).read()
s=s.replace('    cpu_count.c\n','    cpu_count.c\n    einval.c\n'); open(p,'w').write(s)
