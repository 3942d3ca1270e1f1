/* SPDX-License-Identifier: MIT */
/* Which sanitizer a file is compiled for: gcc and clang say it differently. */
#ifndef CF_LIB_BASE_SANITIZERS_H
#define CF_LIB_BASE_SANITIZERS_H

#if defined(__SANITIZE_ADDRESS__)
#define CF__ADDRESS_SANITIZER 1
#elif defined(__SANITIZE_THREAD__)
#define CF__THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CF__ADDRESS_SANITIZER 1
#elif __has_feature(thread_sanitizer)
#define CF__THREAD_SANITIZER 1
#endif
#endif

#ifndef CF__ADDRESS_SANITIZER
#define CF__ADDRESS_SANITIZER 0
#endif
#ifndef CF__THREAD_SANITIZER
#define CF__THREAD_SANITIZER 0
#endif

#endif
