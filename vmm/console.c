/* See console.h. What must stay true: a guest that floods its port costs a bounded file and one write for 4 KiB. */
#include "vmm/console.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "vmm/timers.h"

enum {
	CONSOLE_BUFFER = 4096,
	CONSOLE_DELAY_US = 20000,
	CONSOLE_LIMIT_DEFAULT = 1024 * 1024,
	CONSOLE_LIMIT_MIN = 16 * 1024,
};

static const char console_restarted[] = "[this log was full and starts afresh]\n";

struct console {
	int fd;
	uint64_t limit;
	uint64_t written; /* size of the file */
	size_t used;
	bool armed;
	bool failed; /* a write failed, which is said once */
	struct device_timer *timer;
	uint8_t buffer[CONSOLE_BUFFER];
};

static void write_out(struct console *console, const void *bytes, size_t size)
{
	int error = fd_write_all(console->fd, bytes, size);

	if (error && !console->failed) {
		log_warning("console: writing the log: %s", strerrordesc_np(-error));
		console->failed = true;
	}
	console->written += size;
}

void console_flush(struct console *console)
{
	if (console->used == 0 || console->fd < 0) {
		console->used = 0;
		return;
	}
	if (console->written + console->used > console->limit) {
		if (ftruncate(console->fd, 0) < 0 || lseek(console->fd, 0, SEEK_SET) < 0) {
			console->used = 0;
			return;
		}
		console->written = 0;
		write_out(console, console_restarted, sizeof(console_restarted) - 1);
	}
	write_out(console, console->buffer, console->used);
	console->used = 0;
}

static void on_timer(void *context)
{
	struct console *console = context;

	console->armed = false;
	console_flush(console);
}

void console_put(struct console *console, uint8_t byte)
{
	if (console->fd < 0) {
		return;
	}
	console->buffer[console->used++] = byte;
	if (console->used == CONSOLE_BUFFER) {
		console_flush(console);
	}
	if (!console->armed) {
		console->armed = true;
		timer_set_at(console->timer, clock_monotonic_us() + CONSOLE_DELAY_US);
	}
}

int console_create_take(struct timers *timers, int fd, uint64_t limit, struct console **console)
{
	struct console *created = calloc(1, sizeof(*created));
	struct stat status;

	if (!created) {
		fd_close(&fd);
		return -ENOMEM;
	}
	created->fd = fd;
	created->limit = limit == 0 ? CONSOLE_LIMIT_DEFAULT : limit;
	if (created->limit < CONSOLE_LIMIT_MIN) {
		created->limit = CONSOLE_LIMIT_MIN;
	}
	if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0) {
		created->written = (uint64_t)status.st_size;
	}
	created->timer = timer_create_in(timers, on_timer, created);
	if (!created->timer) {
		console_destroy(created);
		return -ENOMEM;
	}
	*console = created;
	return 0;
}

void console_destroy(struct console *console)
{
	if (!console) {
		return;
	}
	console_flush(console);
	timer_destroy_in(console->timer);
	fd_close(&console->fd);
	free(console);
}
