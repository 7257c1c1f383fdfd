/*
 * CopyRect (rfbproto 7.7.2): what only moved is moved by the viewer itself. What must stay true, for every pixel p of the
 * viewer's picture V and ours S, at any time, however far the viewer lags behind: p is marked (modifiedRegion), or p is to
 * be copied (copyRegion, by copyDX and copyDY, before anything else of the next update) and V[p - d] = S[p], or V[p] = S[p]
 * but for JPEG's loss. The first two never overlap.
 */
#include <errno.h>

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>

#include "base/wire.h"
#include "display/scroll.h"
#include "display/server_internal.h"

enum {
	RECTANGLES_MAX = 1024, /* of one update; more are sent as pixels */
	RECTANGLE_SIZE = 16,   /* position, size, encoding, source */
};

bool server_can_copy(const struct server *server)
{
	/* A viewer without a cursor of its own has the arrow in its picture while that is shown. */
	return server->client->useCopyRect &&
	       (server->client->enableCursorShapeUpdates || !server->arrow_shown);
}

static void set(sraRegionPtr *region, sraRegionPtr value)
{
	sraRgnDestroy(*region);
	*region = value;
}

static sraRegionPtr moved_by(sraRegionPtr region, int dx, int dy)
{
	sraRegionPtr moved = sraRgnCreateRgn(region);

	sraRgnOffset(moved, dx, dy);
	return moved;
}

/* What waits to be copied is sent as pixels instead. */
void server_copy_give_up(struct server *server)
{
	sraRgnOr(server->client->modifiedRegion, server->client->copyRegion);
	sraRgnMakeEmpty(server->client->copyRegion);
}

/*
 * `area`, of which each pixel is what was `down` rows above it. A copy that still waits becomes one with this: by both
 * ways, where the first was to be copied as well.
 */
static void move_area(struct server *server, sraRegionPtr area, int down)
{
	rfbClientPtr client = server->client;
	sraRegionPtr rest = sraRgnCreateRgn(area);
	sraRegionPtr copy;

	if (sraRgnEmpty(client->copyRegion)) {
		sraRegionPtr unknown = moved_by(client->modifiedRegion, 0, down);

		copy = sraRgnCreateRgn(area);
		sraRgnSubtract(copy, unknown);
		sraRgnDestroy(unknown);
		client->copyDX = 0;
		client->copyDY = down;
	} else {
		copy = moved_by(client->copyRegion, 0, down);
		sraRgnAnd(copy, area);
		client->copyDY += down;
	}
	sraRgnSubtract(client->modifiedRegion, area);
	sraRgnSubtract(client->copyRegion, area);
	server_copy_give_up(server);
	sraRgnSubtract(rest, copy);
	sraRgnOr(client->modifiedRegion, rest);
	sraRgnDestroy(rest);
	if (client->copyDY == 0) {
		sraRgnMakeEmpty(copy); /* there and back: the viewer has it */
	}
	set(&client->copyRegion, copy);
}

void server_move(struct server *server, const struct scroll_move *moves, size_t count)
{
	sraRegionPtr area = sraRgnCreate();

	for (size_t i = 0; i < count; i++) {
		const struct scroll_move *move = &moves[i];
		sraRegionPtr one = sraRgnCreateRect((int)move->x, (int)move->y,
		    (int)(move->x + move->width), (int)(move->y + move->height));

		sraRgnOr(area, one);
		sraRgnDestroy(one);
	}
	if (count > 0) {
		move_area(server, area, moves[0].down);
	}
	server->repairing = false;
	sraRgnDestroy(area);
}

size_t server_copy_prepare(struct server *server)
{
	rfbClientPtr client = server->client;
	sraRegionPtr outside = sraRgnCreateRgn(client->copyRegion);
	size_t count;

	/* What the viewer did not ask for would not be there any more when it asks. */
	sraRgnSubtract(outside, client->requestedRegion);
	sraRgnOr(client->modifiedRegion, outside);
	sraRgnSubtract(client->copyRegion, outside);
	sraRgnDestroy(outside);
	count = sraRgnCountRects(client->copyRegion);
	if (count > RECTANGLES_MAX) {
		server_copy_give_up(server);
		count = 0;
	}
	return count;
}

/* The loss that the viewer has in what it copies moves along. */
static void move_loss(struct server *server)
{
	rfbClientPtr client = server->client;
	sraRegionPtr loss = moved_by(server->lossy, client->copyDX, client->copyDY);

	sraRgnAnd(loss, client->copyRegion);
	sraRgnSubtract(server->lossy, client->copyRegion);
	sraRgnOr(server->lossy, loss);
	sraRgnDestroy(loss);
}

int server_copy_send(struct server *server)
{
	rfbClientPtr client = server->client;
	sraRectangleIterator *iterator;
	int error = 0;
	sraRect rect;

	/* In the direction of the move, so that no source is overwritten before it has been copied. */
	iterator = sraRgnGetReverseIterator(
	    client->copyRegion, client->copyDX > 0, client->copyDY > 0);
	while (!error && sraRgnIteratorNext(iterator, &rect)) {
		uint8_t bytes[RECTANGLE_SIZE];
		struct wire wire;

		wire_init_write(&wire, bytes, sizeof(bytes));
		wire_put_be16(&wire, (uint16_t)rect.x1);
		wire_put_be16(&wire, (uint16_t)rect.y1);
		wire_put_be16(&wire, (uint16_t)(rect.x2 - rect.x1));
		wire_put_be16(&wire, (uint16_t)(rect.y2 - rect.y1));
		wire_put_be32(&wire, rfbEncodingCopyRect);
		wire_put_be16(&wire, (uint16_t)(rect.x1 - client->copyDX));
		wire_put_be16(&wire, (uint16_t)(rect.y1 - client->copyDY));
		error = server->ops->write(server->context, bytes, wire.position);
	}
	sraRgnReleaseIterator(iterator);
	move_loss(server);
	sraRgnMakeEmpty(client->copyRegion);
	return error;
}
