/*
 * `tanmatsu logs`: what happened to a desktop, or what its guest wrote to the serial port. The descriptor of the log comes
 * from the daemon; the guest wrote the console's bytes, so on a terminal they are cleaned.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "client/answer.h"
#include "client/arguments.h"
#include "client/client.h"
#include "client/command.h"
#include "client/control.h"
#include "client/text.h"

enum {
	CHUNK = 64 * 1024,
	FALLBACK_MS = 500, /* between two looks at a log that may not be watched */
};

struct log_reader {
	const struct client *client;
	int fd;
	uint64_t offset; /* next byte to read */
	char *line;      /* for JSON: the line so far */
	size_t line_size;
};

static int print_line_json(struct log_reader *reader, const char *text, size_t size)
{
	char *clean = text_to_utf8(text, size);
	json_t *json = clean ? json_pack("{s:s}", "line", clean) : NULL;
	int failed = json ? json_dumpf(json, reader->client->out, JSON_COMPACT) : -1;

	free(clean);
	json_decref(json);
	fputc('\n', reader->client->out);
	return failed < 0 ? -ENOMEM : 0;
}

/* Puts together lines from what is read; `text` may begin and end in the middle of one. */
static int print_json(struct log_reader *reader, const char *text, size_t size)
{
	const char *end;
	int error = 0;

	while (!error && (end = memchr(text, '\n', size))) {
		size_t length = (size_t)(end - text);
		char *joined = realloc(reader->line, reader->line_size + length + 1);

		if (!joined) {
			return -ENOMEM;
		}
		memcpy(joined + reader->line_size, text, length);
		reader->line = joined;
		error = print_line_json(reader, joined, reader->line_size + length);
		reader->line_size = 0;
		text = end + 1;
		size -= length + 1;
	}
	if (!error && size > 0) {
		char *joined = realloc(reader->line, reader->line_size + size);

		if (!joined) {
			return -ENOMEM;
		}
		memcpy(joined + reader->line_size, text, size);
		reader->line = joined;
		reader->line_size += size;
	}
	return error;
}

/* Prints from the offset to the end the log has now. */
static int print_rest(struct log_reader *reader)
{
	char chunk[CHUNK];

	for (;;) {
		ssize_t size = pread(reader->fd, chunk, sizeof(chunk), (off_t)reader->offset);
		int error;

		if (size < 0) {
			return -errno;
		}
		if (size == 0) {
			fflush(reader->client->out);
			return ferror(reader->client->out) ? -EPIPE : 0;
		}
		reader->offset += (uint64_t)size;
		if (reader->client->json) {
			error = print_json(reader, chunk, (size_t)size);
			if (error) {
				return error;
			}
		} else if (reader->client->terminal) {
			text_write_clean(reader->client->out, chunk, (size_t)size);
		} else {
			fwrite(chunk, 1, (size_t)size, reader->client->out);
		}
	}
}

/* Sets the offset to where the last `lines` lines begin. */
static int seek_last_lines(struct log_reader *reader, unsigned long lines)
{
	struct stat st;
	uint64_t position;
	unsigned long found = 0;
	char *block = NULL;
	int error = 0;

	if (fstat(reader->fd, &st) < 0) {
		return -errno;
	}
	position = (uint64_t)st.st_size;
	block = malloc(CHUNK);
	if (!block) {
		return -ENOMEM;
	}
	while (position > 0) {
		size_t size = position < CHUNK ? (size_t)position : CHUNK;

		error = fd_pread_all(reader->fd, block, size, position - size);
		if (error) {
			goto done;
		}
		for (size_t i = size; i > 0; i--) {
			/* The newline at the very end ends the last line, it does not begin another. */
			if (block[i - 1] == '\n' && position - size + i < (uint64_t)st.st_size &&
			    ++found == lines) {
				reader->offset = position - size + i;
				goto done;
			}
		}
		position -= size;
	}
	reader->offset = 0;
done:
	free(block);
	return error;
}

static int follow(struct log_reader *reader)
{
	char path[64];
	char events[4096];
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	bool watching;
	int error = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", reader->fd);
	/* A log that only the daemon's user may read cannot be watched, though we hold it open. */
	watching = watch >= 0 && inotify_add_watch(watch, path, IN_MODIFY) >= 0;
	while (!error) {
		struct pollfd wait = { .fd = watching ? watch : -1, .events = POLLIN };
		struct stat st;

		if (poll(&wait, 1, watching ? -1 : FALLBACK_MS) < 0 && errno != EINTR) {
			error = -errno;
			break;
		}
		if (watching && read(watch, events, sizeof(events)) < 0 && errno != EAGAIN) {
			error = -errno;
			break;
		}
		if (fstat(reader->fd, &st) == 0 && (uint64_t)st.st_size < reader->offset) {
			reader->offset = 0; /* it was begun anew */
		}
		error = print_rest(reader);
	}
	fd_close(&watch);
	return error;
}

static int print_log(
    struct client *client, const struct arguments *arguments, int fd, unsigned long lines)
{
	struct log_reader reader = { .client = client, .fd = fd };
	int error = 0;

	if (arguments_get(arguments, "lines")) {
		error = seek_last_lines(&reader, lines);
	}
	if (!error) {
		error = print_rest(&reader);
	}
	if (!error && arguments_get(arguments, "follow")) {
		error = follow(&reader);
	}
	if (!error && reader.line_size > 0) {
		error = print_line_json(&reader, reader.line, reader.line_size);
	}
	free(reader.line);
	return error;
}

int command_logs(struct client *client, const struct arguments *arguments)
{
	const char *kind = arguments_get(arguments, "kind");
	char name[ANSWER_NAME_MAX], what[ANSWER_NAME_MAX + 16];
	struct control_reply reply;
	unsigned long lines = 0;
	int status, error;

	kind = kind ? kind : "events";
	if (strcmp(kind, "events") != 0 && strcmp(kind, "console") != 0) {
		client_error(client, NULL, "--kind is events or console, not \"%s\"", kind);
		return CLIENT_USAGE;
	}
	if (arguments_get_number(client, arguments, "lines", 1, 1000000000, &lines)) {
		return CLIENT_USAGE;
	}
	status = client_pick_session(client, arguments_positional(arguments, 0), name);
	if (status != CLIENT_DONE) {
		return status;
	}
	snprintf(what, sizeof(what), "logs %s", name);
	status = client_call_take(client, what, "Logs",
	    json_pack("{s:s, s:s}", "session", name, "kind", kind), -1, &reply);
	if (status != CLIENT_DONE) {
		return status;
	}
	if (reply.fd < 0) {
		status = client_bad_answer(client, what);
	} else {
		error = print_log(client, arguments, reply.fd, lines);
		if (error) {
			client_error(client, NULL, "%s: %s", what, strerror(-error));
			status = CLIENT_FAILED;
		}
	}
	control_reply_fini(&reply);
	return status;
}
