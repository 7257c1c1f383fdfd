/*
 * Log lines. What must stay true: no allocation and no lock but the session name's on the path, one
 * system call per line, errno is kept, and nothing that a guest or a viewer chose can start a
 * second line or send a terminal an escape: control characters become '?'.
 *
 * The journal is spoken to in its native datagram protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL)
 * over a socket that is connected at log_init(). sd_journal_sendv() would look the socket's path up
 * for every line, which a process with an empty root cannot.
 *
 * The state is the one mutable global of the program, since a line can be written from where no
 * context is: it is set before the first thread, except for the level (atomic) and the session's
 * name (under its lock).
 */
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	LINE_MAX_BYTES =
	    2048, /* of the message, prefixes and the NUL included; longer ones are cut */
	SESSION_MAX_BYTES = 128,
};

static const char JOURNAL_PATH[] = "/run/systemd/journal/socket";

static struct {
	const char *program;
	int journal; /* connected datagram socket, or -1 */
	atomic_int level;
	pthread_mutex_t session_lock; /* guards `session` */
	char session[SESSION_MAX_BYTES];
} state = {
	.program = "tanmatsu",
	.journal = -1,
	.level = LOG_LEVEL_INFO,
	.session_lock = PTHREAD_MUTEX_INITIALIZER,
};

static const struct {
	const char *name;
	enum log_level level;
} LEVELS[] = {
	{ "error", LOG_LEVEL_ERROR },
	{ "warning", LOG_LEVEL_WARNING },
	{ "notice", LOG_LEVEL_NOTICE },
	{ "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
};

static const char *level_name(enum log_level level)
{
	for (size_t i = 0; i < sizeof(LEVELS) / sizeof(LEVELS[0]); i++) {
		if (LEVELS[i].level == level) {
			return LEVELS[i].name;
		}
	}
	return "log";
}

/* Whether standard error is the stream that systemd connected to the journal: $JOURNAL_STREAM,
 * systemd.exec(5). */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat status;
	unsigned long long device;
	unsigned long long inode;

	if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2) {
		return false;
	}
	return fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
}

static int connect_journal(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (journal < 0) {
		return -1;
	}
	memcpy(address.sun_path, JOURNAL_PATH, sizeof(JOURNAL_PATH));
	if (connect(journal, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		close(journal);
		return -1;
	}
	return journal;
}

void log_init(const char *program)
{
	const char *wanted = getenv("TANMATSU_LOG");

	state.program = program;
	for (size_t i = 0; wanted && i < sizeof(LEVELS) / sizeof(LEVELS[0]); i++) {
		if (strcmp(wanted, LEVELS[i].name) == 0) {
			state.level = (int)LEVELS[i].level;
		}
	}
	if (state.journal < 0 && stderr_is_journal()) {
		state.journal = connect_journal();
	}
}

void log_set_level(enum log_level level)
{
	state.level = (int)level;
}

bool log_level_enabled(enum log_level level)
{
	return (int)level <= state.level;
}

/* Makes text that came from anywhere fit for one line: no control characters, neither C0 nor C1 in
 * UTF-8. */
static void clean(char *text)
{
	for (unsigned char *byte = (unsigned char *)text; *byte; byte++) {
		if (*byte < 0x20 || *byte == 0x7f) {
			*byte = '?';
		} else if (byte[0] == 0xc2 && byte[1] >= 0x80 && byte[1] < 0xa0) {
			byte[0] = '?';
			byte[1] = '?';
		}
	}
}

void log_set_session(const char *name)
{
	pthread_mutex_lock(&state.session_lock);
	snprintf(state.session, sizeof(state.session), "%s", name ? name : "");
	clean(state.session);
	pthread_mutex_unlock(&state.session_lock);
}

static bool send_to_journal(enum log_level level, const char *session, const char *message)
{
	char packet[LINE_MAX_BYTES + SESSION_MAX_BYTES + 256];
	int length;

	/* Without line feeds in the values (see clean()), the protocol is lines of FIELD=value. */
	length = snprintf(packet, sizeof(packet),
	    "PRIORITY=%d\nSYSLOG_IDENTIFIER=%.64s\n%s%s%sMESSAGE=%s\n", (int)level, state.program,
	    *session ? "TANMATSU_SESSION=" : "", session, *session ? "\n" : "", message);
	if (length < 0 || (size_t)length >= sizeof(packet)) {
		return false;
	}
	return send(state.journal, packet, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static void write_to_stderr(enum log_level level, const char *session, const char *message)
{
	char line[LINE_MAX_BYTES + SESSION_MAX_BYTES + 256];
	ssize_t written;
	int length;

	length = snprintf(line, sizeof(line), "%.64s[%d]: %s: %s%s%s%s\n", state.program,
	    (int)getpid(), level_name(level), *session ? "session=" : "", session,
	    *session ? " " : "", message);
	if (length < 0 || (size_t)length >= sizeof(line)) {
		return;
	}
	written = write(STDERR_FILENO, line, (size_t)length);
	/* There is nowhere to tell that there is nowhere to tell it. */
	(void)written;
}

void log_write(enum log_level level, const char *format, ...)
{
	static const char ellipsis[] = "...";
	int saved_errno = errno;
	char message[LINE_MAX_BYTES];
	char session[SESSION_MAX_BYTES];
	va_list arguments;
	int length;

	if (!log_level_enabled(level)) {
		return;
	}
	va_start(arguments, format);
	length = vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	if (length < 0) {
		errno = saved_errno;
		return;
	}
	if ((size_t)length >= sizeof(message)) {
		memcpy(message + sizeof(message) - sizeof(ellipsis), ellipsis, sizeof(ellipsis));
	}
	clean(message);

	pthread_mutex_lock(&state.session_lock);
	memcpy(session, state.session, sizeof(session));
	pthread_mutex_unlock(&state.session_lock);

	if (state.journal < 0 || !send_to_journal(level, session, message)) {
		write_to_stderr(level, session, message);
	}
	errno = saved_errno;
}

bool log_limiter_permits_at(struct log_limiter *limiter, uint64_t now_ms, uint32_t *suppressed)
{
	*suppressed = 0;
	if (limiter->used == 0) {
		limiter->refilled_ms = now_ms;
	} else if (limiter->interval_ms == 0) {
		limiter->used = 0;
	} else if (now_ms > limiter->refilled_ms) {
		uint64_t refills = (now_ms - limiter->refilled_ms) / limiter->interval_ms;

		limiter->refilled_ms += refills * limiter->interval_ms;
		limiter->used = refills < limiter->used ? limiter->used - (uint32_t)refills : 0;
		if (limiter->used == 0) {
			limiter->refilled_ms = now_ms;
		}
	}
	if (limiter->used >= limiter->burst) {
		if (limiter->suppressed < UINT32_MAX) {
			limiter->suppressed++;
		}
		return false;
	}
	limiter->used++;
	*suppressed = limiter->suppressed;
	limiter->suppressed = 0;
	return true;
}

bool log_limiter_permits(struct log_limiter *limiter)
{
	uint32_t suppressed;

	if (!log_limiter_permits_at(limiter, clock_monotonic_us() / 1000, &suppressed)) {
		return false;
	}
	if (suppressed > 0) {
		log_notice("%u further messages of this kind were held back", suppressed);
	}
	return true;
}
