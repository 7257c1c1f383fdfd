/*
 * The functions of libvncserver that this program replaces (display/rfb_io.h). What must stay true: none of them blocks,
 * and reading past the message that was given ends the client instead of waiting for more.
 */
#include "display/rfb_io.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rfb/rfb.h>

enum {
	UNUSED_DESCRIPTOR = 1023, /* the last that an fd_set can hold */
};

/* Original: waits 100 ms for a browser's first bytes. */
rfbBool webSocketsCheck(rfbClientPtr cl)
{
	(void)cl;
	return TRUE;
}

/* Original: read() and select() for up to 20 s. Returns 1, or 0 for "the client is gone". */
int rfbReadExactTimeout(rfbClientPtr cl, char *buffer, int length, int timeout)
{
	struct rfb_io *io = cl->screen->screenData;

	(void)timeout;
	if (length < 0 || (size_t)length > io->input_size) {
		errno = EPROTO;
		return 0;
	}
	memcpy(buffer, io->input, (size_t)length);
	io->input += length;
	io->input_size -= (size_t)length;
	return 1;
}

int rfbReadExact(rfbClientPtr cl, char *buffer, int length)
{
	return rfbReadExactTimeout(cl, buffer, length, 0);
}

/* Original: write() and select() for up to 20 s. Returns 1, or -1 with errno. */
int rfbWriteExact(rfbClientPtr cl, const char *buffer, int length)
{
	struct rfb_io *io = cl->screen->screenData;
	int error = length < 0 ? -EINVAL : io->write(io->context, buffer, (size_t)length);

	if (error) {
		errno = -error;
		return -1;
	}
	return 1;
}

static int count_write(void *context, const void *data, size_t size)
{
	(void)data;
	*(size_t *)context += size;
	return 0;
}

bool rfb_io_is_effective(void)
{
	size_t written = 0;
	struct rfb_io io = { .write = count_write, .context = &written };
	rfbScreenInfo *screen = calloc(1, sizeof(*screen));
	rfbClientRec *client = calloc(1, sizeof(*client));
	bool effective = false;

	if (screen && client && dlsym(RTLD_DEFAULT, "webSocketsCheck") == (void *)webSocketsCheck &&
	    dlsym(RTLD_DEFAULT, "rfbReadExact") == (void *)rfbReadExact &&
	    dlsym(RTLD_DEFAULT, "rfbReadExactTimeout") == (void *)rfbReadExactTimeout) {
		/* With the library's own rfbWriteExact() this fails, as the descriptor is not open. */
		screen->screenData = &io;
		client->screen = screen;
		client->sock = UNUSED_DESCRIPTOR;
		client->ublen = 4;
		(void)rfbSendUpdateBuf(client);
		effective = written == 4;
	}
	free(client);
	free(screen);
	return effective;
}
