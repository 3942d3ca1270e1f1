# SPDX-License-Identifier: MIT
"""Shows gdb the tasks of libcfutures' event loops, in a process or a core:

    (gdb) source cfutures-gdb.py
    (gdb) cf tasks          all tasks of all loops
    (gdb) cf bt 1.3         the stack of task 3 of loop 1
    (gdb) cf bt NAME        ... of each task with that name or function

The library's debug information must be there. In a process nothing is called
or changed; the selected thread stays selected.
"""
import os
import re
import time

import gdb
import gdb.unwinder

MOST_FRAMES = 40  # of the library's own, below what a task called
LIBRARY = re.compile(r"(^|/)(lib/\w+|event_loop)/\w+\.[ch]$")


# --- reading the library's structs ------------------------------------------


def pointer(value):
    """The address that a pointer, or an atomic one, has."""
    return int(value.cast(gdb.lookup_type("unsigned long")))


def at(address, struct):
    pointer_type = gdb.lookup_type("struct " + struct).pointer()
    return gdb.Value(address).cast(pointer_type).dereference()


def text(address):
    char = gdb.lookup_type("char").pointer()
    return gdb.Value(address).cast(char).string(errors="replace")


def function_name(address):
    block = gdb.block_for_pc(address)
    if block and block.function:
        return block.function.name
    symbol = gdb.execute("info symbol %d" % address, to_string=True).split()
    return symbol[0] if symbol and symbol[0] != "No" else hex(address)


def first_executor():
    for symbol in gdb.lookup_static_symbols("registry"):
        if symbol.symtab.filename.endswith("lib/executor/registry.c"):
            return pointer(symbol.value()["first"])
    raise gdb.GdbError("cf: no debug information of libcfutures")


def loops():
    """All event loops, as struct cf__evloop."""
    found = []
    address = first_executor()
    while address:
        executor = at(address, "cf_executor")
        if executor["ops"]["name"].string() == "event_loop":
            try:
                found.append(at(address, "cf__evloop"))
            except gdb.error:
                raise gdb.GdbError("cf: no debug information of "
                                   "libcfutures_loop") from None
        address = pointer(executor["registry_next"])
    return found[::-1]  # the first that was made comes first


class Task:
    """A coroutine that has a task."""

    def __init__(self, loop, loop_number, address):
        self.loop = loop
        self.address = address
        self.coroutine = at(address, "cf__coroutine")
        self.number = int(self.coroutine["base"]["number"])
        self.id = "%d.%d" % (loop_number, self.number - 1)
        self.future = pointer(self.coroutine["f"])
        self.name, self.function = None, "(has ended)"
        if self.future:
            self.name, self.function = describe(self.future)

    def runs(self):
        return pointer(self.loop["running"]) == self.address

    def state(self):
        if self.runs():
            return "running"
        return "parked" if self.coroutine["parked"] else "ready"

    def stack(self):
        """Its lowest address, guard page included, and its end."""
        stacks = self.loop["stacks"]
        page, size = int(stacks["page"]), int(stacks["size"])
        end = self.address + int(stacks["control_size"])
        end += -end % page
        return end - size, end

    def deadline(self):
        place = int(self.coroutine["timer"]["place"])
        if not place:
            return None
        return int(self.loop["timers"]["entries"][place - 1]["at"])


def describe(future):
    """The name, or None, and the function of a future's task."""
    value = at(future, "cf_future")
    name = None
    if pointer(value["attributes"]):
        address = pointer(value["attributes"]["name"])
        name = text(address) if address else None
    if not pointer(value["executor"]):
        return name, "a promise"
    return name, function_name(pointer(value["fn"]))


def tasks_of(loop, number):
    found = []
    address = pointer(loop["active"])
    while address:
        found.append(Task(loop, number, address))
        address = pointer(found[-1].coroutine["next_active"])
    found.sort(key=lambda task: task.number)
    return found


# --- the stacks of tasks that do not run ------------------------------------


def own_switch(context):
    """struct cf__context with CF__OWN_SWITCH. What is missing here lies on the
    stack, where the compiler's notes say."""
    return {"rip": pointer(context["instruction"]),
            "rsp": pointer(context["stack_pointer"]),
            "rbp": pointer(context["frame_pointer"])}


def words(address, count):
    word = gdb.lookup_type("unsigned long")
    array = gdb.Value(address).cast(word.pointer())
    return [int(array[i]) for i in range(count)]


def fcontext_x86_64(address):
    """As jump_x86_64_sysv_elf_gas.S of Boost.Context pushes them. Newer ones
    have one word more in front, for the stack protector."""
    saved = words(address, 9)
    first = 1 if gdb.block_for_pc(saved[7]) else 2
    names = ["r12", "r13", "r14", "r15", "rbx", "rbp", "rip"]
    found = dict(zip(names, saved[first:]))
    found["rsp"] = address + 8 * (first + len(names))
    return found


def fcontext_aarch64(address):
    """As jump_arm64_aapcs_elf_gas.S does: d8 to d15 come first."""
    saved = words(address, 22)
    found = {"x%d" % i: saved[i - 19 + 8] for i in range(19, 31)}
    found["pc"] = saved[20]
    found["sp"] = address + 8 * len(saved)
    return found


def ucontext(context):
    machine = context["uc_mcontext"]
    if "gregs" in [field.name for field in machine.type.fields()]:
        names = {4: "r12", 5: "r13", 6: "r14", 7: "r15", 10: "rbp",
                 11: "rbx", 15: "rsp", 16: "rip"}
        return {name: int(machine["gregs"][i]) for i, name in names.items()}
    found = {"x%d" % i: int(machine["regs"][i]) for i in range(19, 31)}
    found["sp"], found["pc"] = int(machine["sp"]), int(machine["pc"])
    return found


def registers(task):
    context = task.coroutine["context"]
    fields = [field.name for field in context.type.fields()]
    if "stack_pointer" in fields:
        return own_switch(context)
    if "ucontext" in fields:
        return ucontext(context["ucontext"])
    address = pointer(context["fcontext"])
    if gdb.selected_frame().architecture().name().startswith("aarch64"):
        return fcontext_aarch64(address)
    return fcontext_x86_64(address)


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = gdb.Value(sp), gdb.Value(pc)


class Jump(gdb.unwinder.Unwinder):
    """Says that the innermost frame of the selected thread was called from
    where a task was left. So gdb follows that stack as any other, also in a
    core, whose registers cannot be set."""

    def __init__(self):
        super().__init__("cfutures task")
        self.to = None

    def __call__(self, pending):
        if self.to is None:
            return None
        saved, self.to = self.to, None  # the innermost frame only
        sp = saved.get("rsp", saved.get("sp"))
        pc = saved.get("rip", saved.get("pc"))
        # Below the task's frames, else gdb takes the stack for a broken one.
        info = pending.create_unwind_info(FrameId(sp - 64, pc))
        for name, number in saved.items():
            kind = pending.read_register(name).type
            info.add_saved_register(name, gdb.Value(number).cast(kind))
        return info


jump = Jump()
gdb.unwinder.register_unwinder(None, jump, replace=True)


class Stack:
    """with Stack(task): the frames after the innermost one are the task's."""

    def __init__(self, task):
        self.saved = registers(task)

    def __enter__(self):
        jump.to = self.saved
        gdb.invalidate_cached_frames()
        return gdb.newest_frame()

    def __exit__(self, *exc):
        jump.to = None
        gdb.invalidate_cached_frames()


def is_of_the_library(frame):
    symtab = frame.find_sal().symtab
    return symtab is not None and LIBRARY.search(symtab.filename) is not None


def find_wait(task):
    """The call of the library in which the task waits, and from where."""
    call = ""
    with Stack(task) as frame:
        for _ in range(MOST_FRAMES):
            frame = frame.older()
            if frame is None or not frame.name():
                break
            if not is_of_the_library(frame):
                sal = frame.find_sal()
                if sal.symtab:
                    name = os.path.basename(sal.symtab.filename)
                    call += "at %s:%d" % (name, sal.line)
                break
            if re.match("cf_[a-z]", frame.name()):
                call = "in %s() " % frame.name()
    return call.rstrip()


def thread_of(task):
    """The thread that runs on the task's stack, and its stack pointer."""
    low, end = task.stack()
    selected = gdb.selected_thread()
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            frame = gdb.newest_frame()
            while frame and frame.type() == gdb.SIGTRAMP_FRAME:
                frame = frame.older()
            sp = int(frame.read_register("sp"))
            if low <= sp <= end:
                return thread, sp
    finally:
        selected.switch()
    return None, 0


# --- the commands -----------------------------------------------------------


def is_live():
    target = gdb.selected_inferior().connection
    return target is not None and target.type == "native"


def wait_line(task):
    said = []
    awaited = pointer(task.coroutine["base"]["awaited"])
    if awaited:
        ring = at(awaited, "cf__awaited")
        future = pointer(ring["f"])
        name, function = describe(future)
        said.append("for %s" % ("\"%s\" (%s)" % (name, function)
                                if name else function))
        if pointer(ring["next"]) != awaited:
            said[-1] += " or another one"
    call = find_wait(task)
    if call:
        said.append(call)
    deadline = task.deadline()
    if deadline is not None:
        left = (deadline - time.clock_gettime_ns(time.CLOCK_MONOTONIC)) / 1e9
        said.append("for %.3f s more" % left if is_live()
                    else "with a deadline")
    return ", ".join(said)


def running_line(task):
    thread, sp = thread_of(task)
    if not thread:
        return ""
    said = "thread %d" % thread.num
    # A call, or the first store of a function, meets the guard page there.
    if sp < task.stack()[0] + int(task.loop["stacks"]["page"]) + 256:
        said += ", its stack has overflowed"
    return said


class Cf(gdb.Command):
    """Event loops of libcfutures: cf tasks, cf bt TASK."""

    def __init__(self):
        super().__init__("cf", gdb.COMMAND_STACK, prefix=True)


class CfTasks(gdb.Command):
    """Lists the tasks of all event loops: number, state, name, function, and
    what a parked one waits for."""

    def __init__(self):
        super().__init__("cf tasks", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        found = loops()
        if not found:
            print("no event loops")
        for number, loop in enumerate(found, 1):
            tasks = tasks_of(loop, number)
            print("loop %d, %s: %d tasks" % (number, loop["name"].string(),
                                             len(tasks)))
            for task in tasks:
                self.show(task)

    @staticmethod
    def show(task):
        state = task.state()
        name = "\"%s\" " % task.name if task.name else ""
        more = (running_line(task) if state == "running" else
                wait_line(task) if state == "parked" else "")
        print("  %-6s %-8s %s%s%s" % (task.id, state, name, task.function,
                                      ": " + more if more else ""))


class CfBt(gdb.Command):
    """Prints the stack of a task: cf bt ID, as cf tasks shows it, or cf bt NAME
    for all tasks with that name or function."""

    def __init__(self):
        super().__init__("cf bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        wanted = argument.strip()
        tasks = [task for number, loop in enumerate(loops(), 1)
                 for task in tasks_of(loop, number)
                 if wanted in (task.id, task.name, task.function)]
        if not tasks:
            raise gdb.GdbError("cf bt: no task \"%s\"" % wanted)
        for task in tasks:
            print("task %s, %s%s" % (task.id, task.state(),
                                     ", \"%s\"" % task.name if task.name
                                     else ""))
            print(self.running(task) if task.runs() else self.left(task))

    @staticmethod
    def running(task):
        thread, _ = thread_of(task)
        if not thread:
            return "no thread is on its stack"
        selected = gdb.selected_thread()
        try:
            thread.switch()
            return gdb.execute("backtrace", to_string=True).rstrip()
        finally:
            selected.switch()

    @staticmethod
    def left(task):
        with Stack(task):
            lines = gdb.execute("backtrace", to_string=True)
        # Without the frame in which the selected thread is.
        frames = re.split(r"(?m)^(?=#\d)", lines)[2:]
        return "".join(
            re.sub(r"^#\d+ *", lambda _, i=i: "#%-3d" % i, frame)
            for i, frame in enumerate(frames)).rstrip()


Cf()
CfTasks()
CfBt()
