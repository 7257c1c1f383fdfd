/* libvncclient as a decoder (decoding.h): it reads a socket, which a thread fills. */
#include "decoding.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rfb/rfbclient.h>

#ifdef TANMATSU_SANITIZED
/* libvncclient forgets its JPEG decoder with each connection. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:tjInitDecompress";
}
#endif

struct decoding {
	rfbClient *rfb;
	int feed; /* the server's end */
	const uint8_t *data;
	size_t size;
	_Atomic bool written;
	size_t copies;
	GotCopyRectProc copy;
};

static int decoding_tag;

static void on_copy(rfbClient *rfb, int from_x, int from_y, int width, int height, int x, int y)
{
	struct decoding *decoding = rfbClientGetClientData(rfb, &decoding_tag);

	decoding->copies++;
	decoding->copy(rfb, from_x, from_y, width, height, x, y);
}

static void quiet(const char *format, ...)
{
	(void)format;
}

struct decoding *decoding_create(uint32_t width, uint32_t height)
{
	struct decoding *decoding = calloc(1, sizeof(*decoding));
	int ends[2];

	assert(decoding && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	rfbClientLog = rfbClientErr = quiet;
	decoding->rfb = rfbGetClient(8, 3, 4);
	decoding->copy = decoding->rfb->GotCopyRect;
	decoding->rfb->GotCopyRect = on_copy;
	rfbClientSetClientData(decoding->rfb, &decoding_tag, decoding);
	decoding->rfb->sock = ends[0];
	decoding->feed = ends[1];
	decoding->rfb->width = (int)width;
	decoding->rfb->height = (int)height;
	decoding->rfb->format.redShift = 16;
	decoding->rfb->format.greenShift = 8;
	decoding->rfb->format.blueShift = 0;
	decoding->rfb->frameBuffer = calloc((size_t)width * height, 4);
	assert(decoding->rfb->frameBuffer);
	return decoding;
}

void decoding_destroy(struct decoding *decoding)
{
	close(decoding->feed);
	free(decoding->rfb->frameBuffer);
	decoding->rfb->frameBuffer = NULL;
	rfbClientCleanup(decoding->rfb);
	free(decoding);
}

static void *write_all(void *context)
{
	struct decoding *decoding = context;
	size_t written = 0;
	uint8_t asked[256];

	while (written < decoding->size) {
		ssize_t count = send(decoding->feed, decoding->data + written,
		    decoding->size - written, MSG_NOSIGNAL);

		if (count <= 0) {
			break;
		}
		written += (size_t)count;
	}
	decoding->written = true;
	/* Its requests for more are not wanted. */
	while (recv(decoding->feed, asked, sizeof(asked), MSG_DONTWAIT) > 0) {
	}
	return NULL;
}

/* Another message is on its way or here. */
static bool has_more(const struct decoding *decoding)
{
	bool written, here;
	uint8_t byte;

	do {
		written = decoding->written;
		here = decoding->rfb->buffered > 0 ||
		       recv(decoding->rfb->sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
	} while (!here && !written && sched_yield() == 0);
	return here;
}

bool decoding_feed(struct decoding *decoding, const void *data, size_t size)
{
	pthread_t thread;
	bool good;

	decoding->data = data;
	decoding->size = size;
	decoding->written = false;
	assert(pthread_create(&thread, NULL, write_all, decoding) == 0);
	do {
		good = HandleRFBServerMessage(decoding->rfb);
	} while (good && has_more(decoding));
	if (!good) {
		shutdown(decoding->feed, SHUT_RDWR);
	}
	pthread_join(thread, NULL);
	return good && decoding->rfb->buffered == 0;
}

size_t decoding_copies(const struct decoding *decoding)
{
	return decoding->copies;
}

const uint32_t *decoding_pixels(const struct decoding *decoding)
{
	return (const uint32_t *)(const void *)decoding->rfb->frameBuffer;
}
