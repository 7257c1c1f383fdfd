/*
 * `tanmatsu screenshot`: a desktop's picture as a PNG file. The picture comes as a descriptor, of the guest's framebuffer
 * while the desktop runs, else of its last frame. Rows are read, not mapped: a file that becomes shorter is an error
 * then and no signal. The PNG appears whole or not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "client/answer.h"
#include "client/arguments.h"
#include "client/client.h"
#include "client/command.h"
#include "client/control.h"
#include "client/png_file.h"
#include "display/frame.h"

enum {
	PATH_SIZE = 4096,
};

/* A picture behind a descriptor. */
struct source {
	int fd; /* not ours; -1 for a frame */
	struct scanout scanout;
	struct frame frame;
	uint8_t *row;
};

static int read_row(void *context, uint32_t y, const uint8_t **row)
{
	struct source *source = context;

	if (source->fd < 0) {
		*row = source->frame.pixels + (size_t)y * source->frame.stride;
		return 0;
	}
	*row = source->row;
	return fd_pread_all(source->fd, source->row, (size_t)source->scanout.width * 4,
	    source->scanout.offset + (uint64_t)y * source->scanout.stride);
}

static int source_open(struct source *source, const struct control_reply *reply)
{
	struct answer_picture picture;
	struct stat st;
	int error;

	memset(source, 0, sizeof(*source));
	source->fd = -1;
	if (reply->fd < 0 || fstat(reply->fd, &st) < 0 || st.st_size < 0) {
		return -EPROTO;
	}
	error = answer_picture_decode(reply->parameters, (uint64_t)st.st_size, &picture);
	if (error) {
		return error;
	}
	if (picture.frame) {
		return frame_map(reply->fd, &source->frame);
	}
	source->row = malloc((size_t)picture.scanout.width * 4);
	if (!source->row) {
		return -ENOMEM;
	}
	source->scanout = picture.scanout;
	source->fd = reply->fd;
	return 0;
}

static void source_close(struct source *source)
{
	if (source->fd < 0 && source->frame.mapping) {
		frame_unmap(&source->frame);
	}
	free(source->row);
}

static int write_to(FILE *file, struct source *source)
{
	bool frame = source->fd < 0;

	return png_file_write(file, frame ? source->frame.width : source->scanout.width,
	    frame ? source->frame.height : source->scanout.height, read_row, source);
}

/* Writes a file beside `path` and renames it. */
static int write_file(const char *path, struct source *source)
{
	char temporary[PATH_SIZE];
	mode_t mask = umask(0);
	FILE *file = NULL;
	int error, fd;

	umask(mask);
	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary)) {
		return -ENAMETOOLONG;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	file = fdopen(fd, "wb");
	if (!file) {
		error = -errno;
		close(fd);
		goto remove;
	}
	error = write_to(file, source);
	if (!error && fchmod(fd, 0666 & ~mask) < 0) {
		error = -errno;
	}
	if (fclose(file) != 0 && !error) {
		error = -errno;
	}
	if (!error && rename(temporary, path) < 0) {
		error = -errno;
	}
	if (!error) {
		return 0;
	}
remove:
	unlink(temporary);
	return error;
}

static int save_picture(
    struct client *client, const char *name, const char *path, struct source *source)
{
	bool frame = source->fd < 0;
	unsigned width = frame ? source->frame.width : source->scanout.width;
	unsigned height = frame ? source->frame.height : source->scanout.height;
	int error;

	if (strcmp(path, "-") == 0) {
		if (client->terminal || client->json) {
			client_error(client, NULL,
			    "a picture on standard output goes into a pipe or a file, and without "
			    "--json");
			return CLIENT_USAGE;
		}
		error = write_to(client->out, source);
	} else {
		error = write_file(path, source);
	}
	if (error == -ENODATA) {
		return client_bad_answer(client, "screenshot");
	}
	if (error) {
		client_error(client, NULL, "writing %s: %s", path, strerror(-error));
		return CLIENT_FAILED;
	}
	if (client->json) {
		return client_print_json_take(
		    client, json_pack("{s:s, s:s, s:i, s:i, s:b}", "session", name, "file", path,
				"width", (int)width, "height", (int)height, "last_frame", frame));
	}
	if (strcmp(path, "-") != 0) {
		fprintf(client->out, "%s: %s of %s, %ux%u\n", path,
		    frame ? "the last frame" : "the screen", name, width, height);
	}
	return CLIENT_DONE;
}

int command_screenshot(struct client *client, const struct arguments *arguments)
{
	bool named = arguments->positional_count == 2;
	const char *path = arguments_positional(arguments, named ? 1 : 0);
	char name[ANSWER_NAME_MAX], what[ANSWER_NAME_MAX + 16];
	struct control_reply reply;
	struct source source;
	int error;
	int status = client_pick_session(
	    client, named ? arguments_positional(arguments, 0) : NULL, name);

	if (status != CLIENT_DONE) {
		return status;
	}
	snprintf(what, sizeof(what), "screenshot %s", name);
	status = client_call_take(
	    client, what, "Picture", client_session_parameter(name), -1, &reply);
	if (status != CLIENT_DONE) {
		return status;
	}
	error = source_open(&source, &reply);
	if (error == -EPROTO) {
		status = client_bad_answer(client, what);
	} else if (error) {
		client_error(client, NULL, "%s: %s", what, strerror(-error));
		status = CLIENT_FAILED;
	} else {
		status = save_picture(client, name, path, &source);
	}
	source_close(&source);
	control_reply_fini(&reply);
	return status;
}
