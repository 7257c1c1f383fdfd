/* A plain libvncserver program (serve_library.h): its own event loop in a thread, all defaults. */
#include "serve_library.h"

#include <stdlib.h>
#include <unistd.h>

#include <rfb/rfb.h>

#include "content.h"

static void quiet(const char *format, ...)
{
	(void)format;
}

void serve_library(int listener, int changes, void *pixels, uint32_t width, uint32_t height)
{
	rfbScreenInfoPtr screen;
	struct change change;

	rfbLog = rfbErr = quiet;
	screen = rfbGetScreen(NULL, NULL, (int)width, (int)height, 8, 3, 4);
	screen->frameBuffer = pixels;
	screen->serverFormat.redShift = 16;
	screen->serverFormat.greenShift = 8;
	screen->serverFormat.blueShift = 0;
	screen->serverFormat.depth = 24;
	screen->alwaysShared = TRUE;
	screen->port = -1;
	screen->ipv6port = -1;
	rfbInitServer(screen);
	screen->listenSock = listener;
	screen->maxFd = listener;
	FD_SET(listener, &screen->allFds);
	rfbRunEventLoop(screen, -1, TRUE);
	while (read(changes, &change, sizeof(change)) == sizeof(change)) {
		rfbMarkRectAsModified(screen, (int)change.x, (int)change.y,
		    (int)(change.x + change.width), (int)(change.y + change.height));
	}
}
