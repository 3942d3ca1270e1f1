#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The library calls no cancellation point of libc but in the places below
# (lib/base/cancel.h): a cancelled thread would leave locks held.
. "$(dirname "$0")/common.sh"

points='accept|close|connect|creat|fclose|fdatasync|fgets|fopen|fprintf|fread'
points+='|fsync|fwrite|msync|nanosleep|open|openat|pause|poll|ppoll|pread'
points+='|printf|pselect|pthread_cond_timedwait|pthread_cond_wait|pthread_join'
points+='|pwrite|read|readv|recv|recvfrom|recvmsg|select|sem_timedwait|sem_wait'
points+='|send|sendmsg|sendto|sigsuspend|sigtimedwait|sigwait|sigwaitinfo|sleep'
points+='|syslog|system|usleep|wait|waitid|waitpid|write|writev'

# Cancellation is disabled around them:
allowed='lib/base/(cancel|cond|contract|cpu_count|einval|fence)\.c'
allowed+='|lib/future/(observed|slow_callback)\.c'
# ... in all of cf_process_pool_create(), and so in the processes that it
# forks; and in the manager.
allowed+='|process_pool/(manager|memory/(room|roster)|worker/(limits|worker'
allowed+=')|zygote/(descriptors|watch|zygote|zygote_main))\.c'
# ... and in a loop's thread, while it runs (thread.c).
allowed+='|event_loop/(datagram|listener|sigpipe|socket|stream_connect'
allowed+='|stream_read)\.c'

sources=$(files c | grep -E '^(lib|thread_pool|process_pool|event_loop)/')
some sources "$sources"
found=$(echo "$sources" |
    grep -vE "^($allowed)$" |
    xargs grep -nE "(^|[^A-Za-z0-9_>.*\"])($points)\(" |
    grep -vE ':[0-9]+: *(\*|/\*)' || true)
[ -z "$found" ] || complain "cancellation points:"$'\n'"$found"
finish
