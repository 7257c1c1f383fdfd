/*
 * What is sent to the viewer, and when (display/server.h). What must stay true: nothing is sent that was not asked for, an
 * update holds at most SERVER_UPDATE_PIXELS pixels so that no viewer can make us keep more, and what does not fit stays
 * marked and asked for.
 */
#include <errno.h>

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>

#include "display/server_internal.h"

bool server_is_asked(const struct server *server)
{
	return server_is_started(server) &&
	       (server->continuous || !sraRgnEmpty(server->client->requestedRegion));
}

static bool size_is_pending(const struct server *server)
{
	return server->client->useNewFBSize && server->client->newFBSizePending;
}

static bool cursor_is_pending(const struct server *server)
{
	return server->client->enableCursorShapeUpdates && server->client->cursorWasChanged &&
	       server->client->readyForSetColourMapEntries;
}

bool server_clip(const struct server *server, uint16_t rectangle[4])
{
	for (int i = 0; i < 2; i++) {
		int limit = i ? server->screen->height : server->screen->width;

		if (rectangle[i] >= limit) {
			return false;
		}
		if (rectangle[i + 2] > limit - rectangle[i]) {
			rectangle[i + 2] = (uint16_t)(limit - rectangle[i]);
		}
	}
	return rectangle[2] > 0 && rectangle[3] > 0;
}

/* Continuous updates are an open request for their area. */
static void ask_continuously(struct server *server)
{
	uint16_t area[4] = { server->area[0], server->area[1], server->area[2], server->area[3] };
	sraRegionPtr region;

	if (!server->continuous || !server_clip(server, area)) {
		return;
	}
	region = sraRgnCreateRect(area[0], area[1], area[0] + area[2], area[1] + area[3]);
	sraRgnOr(server->client->requestedRegion, region);
	sraRgnDestroy(region);
}

/* What is both marked and asked for; the caller destroys it. */
static sraRegionPtr pending_region(const struct server *server)
{
	sraRegionPtr region = sraRgnCreateRgn(server->client->modifiedRegion);
	sraRegionPtr screen = sraRgnCreateRect(0, 0, server->screen->width, server->screen->height);

	sraRgnAnd(region, server->client->requestedRegion);
	sraRgnAnd(region, screen);
	sraRgnDestroy(screen);
	return region;
}

bool server_has_news(const struct server *server)
{
	if (!server_is_asked(server)) {
		return false;
	}
	return server_has_features_to_tell(server) || size_is_pending(server) ||
	       cursor_is_pending(server) || !sraRgnEmpty(server->client->modifiedRegion) ||
	       !sraRgnEmpty(server->client->copyRegion);
}

static uint64_t region_pixels(sraRegionPtr region)
{
	sraRectangleIterator *iterator = sraRgnGetIterator(region);
	uint64_t pixels = 0;
	sraRect rect;

	while (sraRgnIteratorNext(iterator, &rect)) {
		pixels += (uint64_t)(rect.x2 - rect.x1) * (uint64_t)(rect.y2 - rect.y1);
	}
	sraRgnReleaseIterator(iterator);
	return pixels;
}

/* Leaves the topmost rows of `region`, not more pixels than an update may have. */
static void cut_region(const struct server *server, sraRegionPtr region)
{
	int rows = SERVER_UPDATE_PIXELS / (server->screen->width > 0 ? server->screen->width : 1);
	sraRegionPtr bounds, slice;
	sraRect rect;

	if (region_pixels(region) <= SERVER_UPDATE_PIXELS) {
		return;
	}
	bounds = sraRgnBBox(region);
	if (sraRgnPopRect(bounds, &rect, 0)) {
		slice = sraRgnCreateRect(0, rect.y1, server->screen->width, rect.y1 + rows);
		sraRgnAnd(region, slice);
		sraRgnDestroy(slice);
	}
	sraRgnDestroy(bounds);
}

static must_check int send_library_update(struct server *server, sraRegionPtr region)
{
	rfbBool sent;

	server->updating = true;
	sent = rfbSendFramebufferUpdate(server->client, region);
	server->updating = false;
	return sent && server->client->sock != RFB_INVALID_SOCKET ? 0 : -EPIPE;
}

/* By our own encoder where the viewer understands it; libvncserver then sends the cursor alone. */
static must_check int send_region(struct server *server, sraRegionPtr region)
{
	sraRegionPtr nothing;
	int error = 0;

	if (!server_tight_is_wanted(server)) {
		return send_library_update(server, region);
	}
	if (cursor_is_pending(server)) {
		nothing = sraRgnCreate();
		error = send_library_update(server, nothing);
		sraRgnDestroy(nothing);
	}
	if (!error && !(sraRgnEmpty(region) && sraRgnEmpty(server->client->copyRegion))) {
		server->updating = true;
		error = server_tight_send(server, region);
		server->updating = false;
	}
	return error;
}

/* The size alone; libvncserver keeps the request open behind it. */
static must_check int send_size(struct server *server)
{
	int error = send_library_update(server, server->client->modifiedRegion);

	if (!error && server->resized) {
		/* What was asked for was an area of the old picture: the viewer asks anew for the new one. */
		server->resized = false;
		sraRgnMakeEmpty(server->client->requestedRegion);
	}
	return error;
}

/* Pixels and the cursor. Returns 1 when something was sent, 0, or -errno. */
static must_check int send_pixels(struct server *server)
{
	sraRegionPtr asked, region;
	size_t copies;
	int result = 0;

	ask_continuously(server);
	if (cursor_is_pending(server) ||
	    (server_is_lossy(server) && !server_tight_is_wanted(server))) {
		/* libvncserver would send it, and does not know what was lost where. */
		server_copy_give_up(server);
	}
	copies = server_copy_prepare(server);
	region = pending_region(server);
	if (!sraRgnEmpty(region) || copies > 0 || cursor_is_pending(server)) {
		asked = sraRgnCreateRgn(server->client->requestedRegion);
		cut_region(server, region);
		result = send_region(server, region);
		/* libvncserver takes one update as the answer; ours is one only when all of it was sent. */
		sraRgnSubtract(asked, region);
		sraRgnAnd(asked, server->client->modifiedRegion);
		sraRgnOr(server->client->requestedRegion, asked);
		sraRgnDestroy(asked);
		result = result ? result : 1;
	}
	if (server->continuous) {
		/* Only an explicit request outlives this call. */
		sraRgnMakeEmpty(server->client->requestedRegion);
	}
	sraRgnDestroy(region);
	return result;
}

int server_update(struct server *server)
{
	int error;

	if (!server_is_asked(server)) {
		return 0;
	}
	if (server_has_features_to_tell(server)) {
		error = server_tell_features(server);
		if (error) {
			return error;
		}
	}
	if (size_is_pending(server)) {
		error = send_size(server);
		return error ? error : 1;
	}
	return send_pixels(server);
}

void server_mark(struct server *server, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	sraRegionPtr region = sraRgnCreateRect((int)x, (int)y, (int)(x + width), (int)(y + height));

	sraRgnOr(server->client->modifiedRegion, region);
	sraRgnSubtract(server->client->copyRegion, region);
	sraRgnDestroy(region);
	server->repairing = false;
}

/*
 * rfbNewFramebuffer() is not used: it would set the pixel format to the library's default. The old size's area of
 * continuous updates becomes the new size's if it was all of it.
 */
void server_set_picture(struct server *server, void *pixels, uint32_t width, uint32_t height)
{
	rfbClientPtr client = server->client;
	bool whole = server->area[0] == 0 && server->area[1] == 0 &&
		     server->area[2] >= server->screen->width &&
		     server->area[3] >= server->screen->height;
	sraRegionPtr all = sraRgnCreateRect(0, 0, (int)width, (int)height);

	server->screen->frameBuffer = pixels;
	if (server->screen->width != (int)width || server->screen->height != (int)height) {
		server->screen->width = (int)width;
		server->screen->height = (int)height;
		server->screen->paddedWidthInBytes = (int)(width * 4);
		client->newFBSizePending = client->useNewFBSize;
		if (server->size_asked) {
			server->size_asked = false;
			client->requestedDesktopSizeChange =
			    rfbExtDesktopSize_ClientRequestedChange;
			client->lastDesktopSizeChangeError = rfbExtDesktopSize_Success;
		}
		server->resized = true;
		sraRgnAnd(client->requestedRegion, all);
		if (whole) {
			server->area[2] = (uint16_t)width;
			server->area[3] = (uint16_t)height;
		}
	}
	server->repairing = false;
	sraRgnMakeEmpty(server->lossy);
	sraRgnMakeEmpty(client->copyRegion);
	sraRgnMakeEmpty(client->modifiedRegion);
	sraRgnOr(client->modifiedRegion, all);
	sraRgnDestroy(all);
}
