/* The viewer of the display tests (client.h). */
#include "client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#ifdef TANMATSU_SANITIZED
/* libvncclient forgets its certificates and decoder with each connection. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libvncclient\nleak:libgnutls\nleak:libtasn1";
}
#endif

static int client_tag;

static struct client *client_of(rfbClient *rfb)
{
	return rfbClientGetClientData(rfb, &client_tag);
}

static void quiet(const char *format, ...)
{
	(void)format;
}

static rfbCredential *give_credential(rfbClient *rfb, int type)
{
	struct client *client = client_of(rfb);
	rfbCredential *credential = calloc(1, sizeof(*credential));

	if (type == rfbCredentialTypeUser) {
		credential->userCredential.username = strdup(client->user);
		credential->userCredential.password = strdup(client->password);
	} else {
		credential->x509Credential.x509CACertFile = client->ca ? strdup(client->ca) : NULL;
		credential->x509Credential.x509CrlVerifyMode = rfbX509CrlVerifyNone;
	}
	return credential;
}

static void on_finished(rfbClient *rfb)
{
	struct client *client = client_of(rfb);

	client->updates++;
	if (!client->framed_us) {
		client->framed_us = clock_monotonic_us();
	}
}

static rfbBool on_size(rfbClient *rfb)
{
	struct client *client = client_of(rfb);

	client->resizes++;
	free(rfb->frameBuffer);
	rfb->frameBuffer = calloc((size_t)rfb->width * (size_t)rfb->height, 4);
	return rfb->frameBuffer != NULL;
}

int client_listen(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert(listener >= 0 && bind(listener, (struct sockaddr *)&address, size) == 0 &&
	       listen(listener, 16) == 0);
	assert(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
	*port = ntohs(address.sin_port);
	return listener;
}

bool client_connect(struct client *client, int listener, uint16_t port,
    void (*accepted)(void *context, int socket), void *context, const char *encodings)
{
	rfbClient *rfb = rfbGetClient(8, 3, 4);
	bool good;

	rfbClientLog = quiet;
	rfbClientErr = getenv("CLIENT_VERBOSE") ? rfbClientErr : quiet;
	client->rfb = rfb;
	client->updates = client->resizes = 0;
	client->framed_us = 0;
	rfbClientSetClientData(rfb, &client_tag, client);
	rfb->GetCredential = give_credential;
	rfb->FinishedFrameBufferUpdate = on_finished;
	rfb->MallocFrameBuffer = on_size;
	rfb->canHandleNewFBSize = TRUE;
	rfb->format.redShift = 16;
	rfb->format.greenShift = 8;
	rfb->format.blueShift = 0;
	rfb->appData.encodingsString = encodings;
	rfb->appData.enableJPEG = !client->exact;
	rfb->appData.qualityLevel = client->quality > 0 ? client->quality
							: rfb->appData.qualityLevel;
	free(rfb->serverHost);
	rfb->serverHost = strdup("127.0.0.1");
	rfb->serverPort = port;
	client->connected_us = clock_monotonic_us();
	good = ConnectToRFBServer(rfb, rfb->serverHost, port);
	if (good) {
		accepted(context, accept(listener, NULL, NULL));
		good = InitialiseRFBConnection(rfb);
	}
	if (good) {
		rfb->width = rfb->si.framebufferWidth;
		rfb->height = rfb->si.framebufferHeight;
		rfb->updateRect.x = rfb->updateRect.y = 0;
		rfb->updateRect.w = rfb->width;
		rfb->updateRect.h = rfb->height;
		good = rfb->MallocFrameBuffer(rfb) && SetFormatAndEncodings(rfb) &&
		       SendFramebufferUpdateRequest(rfb, 0, 0, rfb->width, rfb->height, FALSE);
		client->resizes = 0;
	}
	if (!good) {
		client_close(client);
	}
	return good;
}

void client_close(struct client *client)
{
	if (client->rfb) {
		free(client->rfb->frameBuffer);
		client->rfb->frameBuffer = NULL;
		rfbClientCleanup(client->rfb);
		client->rfb = NULL;
	}
}

bool client_wait(struct client *client, bool (*done)(void *context), void *context, int timeout_ms)
{
	uint64_t end = clock_monotonic_us() + (uint64_t)timeout_ms * 1000;

	while (!done(context)) {
		int ready = WaitForMessage(client->rfb, 2000);

		if (ready < 0 || (ready > 0 && !HandleRFBServerMessage(client->rfb))) {
			return false;
		}
		if (clock_monotonic_us() > end) {
			return true;
		}
	}
	return true;
}

struct updates_target {
	struct client *client;
	size_t updates;
};

static bool has_updates(void *context)
{
	struct updates_target *target = context;

	return target->client->updates >= target->updates;
}

bool client_wait_updates(struct client *client, size_t updates, int timeout_ms)
{
	struct updates_target target = { client, updates };

	return client_wait(client, has_updates, &target, timeout_ms);
}

bool client_shows(
    const struct client *client, const uint32_t *pixels, uint32_t width, uint32_t height)
{
	const uint32_t *shown = (const uint32_t *)client->rfb->frameBuffer;

	if (client->rfb->width != (int)width || client->rfb->height != (int)height) {
		return false;
	}
	for (size_t i = 0; i < (size_t)width * height; i++) {
		if ((shown[i] ^ pixels[i]) & 0xffffff) {
			return false;
		}
	}
	return true;
}
