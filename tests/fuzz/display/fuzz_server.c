/*
 * The RFB session of a viewer that has logged in, libvncserver included: any messages, an update tried after each piece.
 * What is sent goes to /dev/null by write(), so that a memory checker sees every byte of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "display/server.h"

enum {
	WIDTH = 80,
	HEIGHT = 50,
	PIECE = 61,
};

struct state {
	struct server *server;
	uint32_t *pixels;
	size_t written;
};

static int null_fd = -1;

static int write_away(void *context, const void *data, size_t size)
{
	struct state *state = context;

	state->written += size;
	return write(null_fd, data, size) == (ssize_t)size ? 0 : -EPIPE;
}

static void on_key(void *context, uint32_t keysym, uint32_t scancode, bool down)
{
	(void)context;
	(void)keysym;
	(void)scancode;
	(void)down;
}

static void on_pointer(void *context, uint16_t buttons, uint32_t x, uint32_t y)
{
	(void)context;
	(void)buttons;
	(void)x;
	(void)y;
}

/* The desktop follows at once, within what this target is ready to pay. */
static bool on_resize(void *context, uint32_t width, uint32_t height)
{
	struct state *state = context;

	if (width > 200 || height > 200) {
		return false;
	}
	if (server_can_resize(state->server)) {
		free(state->pixels);
		state->pixels = calloc((size_t)width * height, 4);
		server_set_picture(state->server, state->pixels, width, height);
	}
	return true;
}

static void on_encodings(void *context)
{
	(void)context;
}

static void feed(struct state *state, const uint8_t *data, size_t size)
{
	uint8_t turn = 0;

	while (size > 0) {
		size_t room;
		void *to = server_input(state->server, &room);
		size_t piece = size < PIECE ? size : PIECE;

		piece = piece < room ? piece : room;
		memcpy(to, data, piece);
		if (server_input_done(state->server, piece) != 0) {
			return;
		}
		data += piece;
		size -= piece;
		server_mark(state->server, turn % 20u, turn % 30u, 1 + turn % 9u, 1 + turn % 7u);
		server_set_leds(state->server, turn++);
		for (int i = 0; i < 4; i++) {
			int result = server_update(state->server);

			if (result <= 0) {
				break;
			}
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct server_ops ops = {
		.write = write_away,
		.on_key = on_key,
		.on_pointer = on_pointer,
		.on_resize = on_resize,
		.on_encodings = on_encodings,
	};
	struct state state = { .pixels = calloc(WIDTH * HEIGHT, 4) };
	int ends[2];

	if (null_fd < 0) {
		null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
		log_set_level(LOG_LEVEL_ERROR);
	}
	for (size_t i = 0; i < WIDTH * HEIGHT; i++) {
		state.pixels[i] = (uint32_t)(i * 2654435761u);
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0) {
		if (server_create_take(ends[0], "fuzz", state.pixels, WIDTH, HEIGHT, &ops, &state,
			&state.server) == 0) {
			feed(&state, data, size);
			server_destroy(state.server);
		}
		close(ends[1]);
	}
	free(state.pixels);
	return 0;
}
