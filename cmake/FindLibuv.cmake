# SPDX-License-Identifier: MIT
# Finds libuv, with or without its pkg-config file: Libuv_FOUND, Libuv::Libuv.
# It is installed too, for programs that link the archive of the event loop.
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
    pkg_check_modules(PC_LIBUV QUIET libuv)
endif()
find_path(LIBUV_INCLUDE_DIR uv.h HINTS ${PC_LIBUV_INCLUDE_DIRS})
find_library(LIBUV_LIBRARY uv HINTS ${PC_LIBUV_LIBRARY_DIRS})
mark_as_advanced(LIBUV_INCLUDE_DIR LIBUV_LIBRARY)

include(FindPackageHandleStandardArgs)
set(FPHSA_NAME_MISMATCHED ON)
find_package_handle_standard_args(
    Libuv REQUIRED_VARS LIBUV_LIBRARY LIBUV_INCLUDE_DIR)
unset(FPHSA_NAME_MISMATCHED)

if(Libuv_FOUND AND NOT TARGET Libuv::Libuv)
    add_library(Libuv::Libuv UNKNOWN IMPORTED)
    set_target_properties(
        Libuv::Libuv
        PROPERTIES IMPORTED_LOCATION ${LIBUV_LIBRARY}
                   INTERFACE_INCLUDE_DIRECTORIES ${LIBUV_INCLUDE_DIR})
endif()
