# SPDX-License-Identifier: MIT
# Where the library can be built (docs/platforms.md), and what differs there.
include(CheckCSourceCompiles)

if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
    message(FATAL_ERROR
            "cfutures is for Linux: it sleeps in futexes, and its process pool "
            "needs memfd_create() and subreapers. ${CMAKE_SYSTEM_NAME} is not "
            "supported (docs/platforms.md).")
endif()
if(CMAKE_SIZEOF_VOID_P LESS 8)
    message(FATAL_ERROR
            "cfutures needs pointers of 64 bits: a future's state, links and "
            "handle count lie in words of that size. 32-bit systems are not "
            "supported (docs/platforms.md).")
endif()

# The C library, as its headers call it.
check_c_source_compiles("#include <features.h>
                         #ifndef __GLIBC__
                         #error
                         #endif
                         int main(void) { return 0; }"
                        CF_IS_GLIBC)

# Some compilers call libatomic for a byte: gcc 12 on riscv64.
set(source "#include <stdatomic.h>
            static _Atomic unsigned char byte;
            int main(void)
            {
                unsigned char old = 0;
                atomic_compare_exchange_strong(&byte, &old, 1);
                return atomic_exchange(&byte, 0) + atomic_fetch_or(&byte, 1);
            }")
set(CF_ATOMIC "") # the library to link
check_c_source_compiles("${source}" CF_ATOMICS_ARE_INLINE)
if(NOT CF_ATOMICS_ARE_INLINE)
    set(CMAKE_REQUIRED_LIBRARIES atomic)
    check_c_source_compiles("${source}" CF_ATOMICS_ARE_IN_LIBATOMIC)
    unset(CMAKE_REQUIRED_LIBRARIES)
    if(NOT CF_ATOMICS_ARE_IN_LIBATOMIC)
        message(FATAL_ERROR
                "cfutures needs atomic operations on bytes, and libatomic does "
                "not link (Debian: libgcc-dev of the compiler)")
    endif()
    set(CF_ATOMIC atomic)
endif()
