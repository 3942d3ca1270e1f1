/* SPDX-License-Identifier: MIT */
/* What comes before each left column of docs/coming-from/glib.md. */
#include <gio/gio.h>
#include <glib-unix.h>
