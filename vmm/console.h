/*
 * The log of the serial port: what the guest writes, in a file of bounded size. When it is full it starts afresh, with a
 * line that says so: the end of a guest's log is what is asked for. With the machine's lock held.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"

struct timers;
struct console;

/* Takes `fd` (append-only file, -1: nothing is kept) in every case. `limit` in bytes, 0: a default. 0 or -errno. */
must_check int console_create_take(
    struct timers *timers, int fd, uint64_t limit, struct console **console);
/* Writes what is left. */
void console_destroy(struct console *console);
/* A byte from the guest; in the file within 20 ms. */
void console_put(struct console *console, uint8_t byte);
void console_flush(struct console *console);
