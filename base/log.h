/*
 * Logging to the journal when the process was started by systemd, to standard error otherwise.
 * Every line is one event: what was being done, to whom, what happened. An error is logged once,
 * where it is handled.
 *
 * Any thread; log_init() before the first thread is started.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR = 3, /* the numbers are syslog's */
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/*
 * Sets the program's name as it stands in every line, and opens the journal's socket now, since a
 * sandboxed process could not do it later. The level comes from TANMATSU_LOG (error, warning,
 * notice, info, debug), else LOG_LEVEL_INFO. The string is kept, not copied.
 */
void log_init(const char *program);
void log_set_level(enum log_level level);
bool log_level_enabled(enum log_level level);

/* Adds "session=NAME" (journal field TANMATSU_SESSION) to every further line of this process; NULL
 * removes it. */
void log_set_session(const char *name);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * A token bucket for messages that a guest or a viewer can cause: `burst` lines, then one each
 * `interval_ms`. When lines were held back, the next one that passes is preceded by a line that
 * says how many. Zero-initialise with the two numbers set. Not locked: one per object, under that
 * object's lock.
 */
struct log_limiter {
	uint32_t burst;
	uint32_t interval_ms;
	uint32_t used;
	uint32_t suppressed;
	uint64_t refilled_ms;
};

bool log_limiter_permits(struct log_limiter *limiter);
/* The same at a given time, without the line: `*suppressed` is what that line would say, 0 for
 * none. Pure. */
bool log_limiter_permits_at(struct log_limiter *limiter, uint64_t now_ms, uint32_t *suppressed);
