/*
 * One FramebufferUpdate in the Tight encoding by our own encoder (display/tight.h) instead of libvncserver's: lossless
 * wherever that is smaller, JPEG only for what is photographic and only if the viewer asked for a quality, and what was
 * sent so is remembered until it has been repaired. What must stay true: the number of rectangles in the header is the
 * number that follows, whatever the region is.
 */
#include <errno.h>
#include <stdlib.h>

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>

#include "base/wire.h"
#include "display/server_internal.h"
#include "display/tight.h"

enum {
	UPDATE_HEADER_SIZE = 4,     /* rfbproto 7.6.1: type, padding, number of rectangles */
	RECTANGLE_HEADER_SIZE = 12, /* position, size, encoding */
	RECTANGLES_MAX = 65534,     /* 65535 says that LastRect will end them */
	JPEG_PIXELS_MIN = 4096,     /* smaller changes are cheap enough to be exact at once */
};

bool server_tight_is_wanted(const struct server *server)
{
	const rfbPixelFormat *format = &server->client->format;

	return server->tight && server->client->preferredEncoding == rfbEncodingTight &&
	       format->trueColour && format->bitsPerPixel == 32 && format->depth == 24 &&
	       format->redMax == 255 && format->greenMax == 255 && format->blueMax == 255;
}

/* How high the pieces of a rectangle of that width are. */
static int piece_height(int width)
{
	return TIGHT_PIXELS_MAX / (width < TIGHT_WIDTH_MAX ? width : TIGHT_WIDTH_MAX);
}

static size_t count_pieces(sraRegionPtr region)
{
	sraRectangleIterator *iterator = sraRgnGetIterator(region);
	size_t count = 0;
	sraRect rect;

	while (sraRgnIteratorNext(iterator, &rect)) {
		int width = rect.x2 - rect.x1;
		int height = piece_height(width);

		count += (size_t)((width + TIGHT_WIDTH_MAX - 1) / TIGHT_WIDTH_MAX) *
			 (size_t)((rect.y2 - rect.y1 + height - 1) / height);
	}
	sraRgnReleaseIterator(iterator);
	return count;
}

static struct tight_options options_of(const struct server *server, size_t pixels)
{
	const struct _rfbClientRec *client = server->client;
	struct tight_options options = { .jpeg_quality = TIGHT_JPEG_NONE };

	if (!server->repairing && pixels >= JPEG_PIXELS_MIN && client->turboQualityLevel > 0 &&
	    client->turboQualityLevel <= 100) {
		options.jpeg_quality = client->turboQualityLevel;
		options.subsample = client->turboSubsampLevel != 0;
	}
	return options;
}

static must_check int send_piece(struct server *server, sraRect piece)
{
	size_t width = (size_t)(piece.x2 - piece.x1);
	size_t height = (size_t)(piece.y2 - piece.y1);
	size_t stride = (size_t)server->screen->paddedWidthInBytes / sizeof(uint32_t);
	const uint32_t *pixels = (const uint32_t *)(const void *)server->screen->frameBuffer +
				 (size_t)piece.y1 * stride + (size_t)piece.x1;
	struct tight_options options = options_of(server, width * height);
	sraRegionPtr area;
	enum tight_kind kind;
	struct wire header;
	size_t size;

	wire_init_write(&header, server->tight_buffer, RECTANGLE_HEADER_SIZE);
	wire_put_be16(&header, (uint16_t)piece.x1);
	wire_put_be16(&header, (uint16_t)piece.y1);
	wire_put_be16(&header, (uint16_t)width);
	wire_put_be16(&header, (uint16_t)height);
	wire_put_be32(&header, rfbEncodingTight);
	size = RECTANGLE_HEADER_SIZE + tight_encode(server->tight, pixels, stride, width, height,
					   &options, server->tight_buffer + RECTANGLE_HEADER_SIZE,
					   &kind);
	area = sraRgnCreateRect(piece.x1, piece.y1, piece.x2, piece.y2);
	if (kind == TIGHT_JPEG) {
		sraRgnOr(server->lossy, area);
	} else {
		sraRgnSubtract(server->lossy, area);
	}
	sraRgnDestroy(area);
	return server->ops->write(server->context, server->tight_buffer, size);
}

static must_check int send_rectangle(struct server *server, sraRect rect)
{
	int height = piece_height(rect.x2 - rect.x1);
	int error = 0;

	for (int y = rect.y1; y < rect.y2 && !error; y += height) {
		for (int x = rect.x1; x < rect.x2 && !error; x += TIGHT_WIDTH_MAX) {
			sraRect piece = { x, y, x + TIGHT_WIDTH_MAX, y + height };

			piece.x2 = piece.x2 < rect.x2 ? piece.x2 : rect.x2;
			piece.y2 = piece.y2 < rect.y2 ? piece.y2 : rect.y2;
			error = send_piece(server, piece);
		}
	}
	return error;
}

int server_tight_send(struct server *server, sraRegionPtr region)
{
	uint8_t bytes[UPDATE_HEADER_SIZE];
	sraRectangleIterator *iterator;
	size_t count = count_pieces(region) + sraRgnCountRects(server->client->copyRegion);
	struct wire header;
	sraRect rect;
	int error;

	if (count == 0 || count > RECTANGLES_MAX) {
		return -EOVERFLOW;
	}
	wire_init_write(&header, bytes, sizeof(bytes));
	wire_put_u8(&header, rfbFramebufferUpdate);
	wire_put_u8(&header, 0);
	wire_put_be16(&header, (uint16_t)count);
	error = server->ops->write(server->context, bytes, sizeof(bytes));
	if (!error) {
		error = server_copy_send(server);
	}
	iterator = sraRgnGetIterator(region);
	while (!error && sraRgnIteratorNext(iterator, &rect)) {
		error = send_rectangle(server, rect);
	}
	sraRgnReleaseIterator(iterator);
	sraRgnSubtract(server->client->modifiedRegion, region);
	sraRgnMakeEmpty(server->client->requestedRegion);
	return error;
}

int server_tight_create(struct server *server)
{
	int error = tight_create(&server->tight);

	if (error) {
		return error;
	}
	server->lossy = sraRgnCreate();
	/* The largest piece by bytes is one of TIGHT_PIXELS_MAX pixels, whatever its shape: JPEG rounds both sides up. */
	server->tight_buffer = malloc(
	    RECTANGLE_HEADER_SIZE +
	    tight_bound(TIGHT_WIDTH_MAX, TIGHT_PIXELS_MAX / TIGHT_WIDTH_MAX) +
	    tight_bound(1, TIGHT_PIXELS_MAX));
	return server->lossy && server->tight_buffer ? 0 : -ENOMEM;
}

void server_tight_destroy(struct server *server)
{
	tight_destroy(server->tight);
	free(server->tight_buffer);
	if (server->lossy) {
		sraRgnDestroy(server->lossy);
	}
}

bool server_is_lossy(const struct server *server)
{
	return server->lossy && !sraRgnEmpty(server->lossy);
}

void server_repair(struct server *server)
{
	server->repairing = true;
	server_copy_give_up(server);
	sraRgnOr(server->client->modifiedRegion, server->lossy);
}
