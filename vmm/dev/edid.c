/*
 * EDID 1.4, written byte by byte in the order of the standard's table 3.1. What must stay true: the
 * sum of all bytes is 0 modulo 256, and the first detailed timing is the preferred mode, since that
 * is what every guest reads.
 */
#include "vmm/dev/edid.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum {
	OFFSET_VENDOR = 8,
	OFFSET_VERSION = 18,
	OFFSET_BASIC = 20,
	OFFSET_COLOUR = 25,
	OFFSET_ESTABLISHED = 35,
	OFFSET_STANDARD = 38,
	OFFSET_DETAILED = 54,
	OFFSET_CHECKSUM = 127,
	DESCRIPTOR_SIZE = 18,
	STANDARD_COUNT = 8,

	/* CVT 1.2, reduced blanking version 1. */
	H_BLANK = 160,
	H_FRONT = 48,
	H_SYNC = 32,
	V_FRONT = 3,
	V_SYNC = 10,
	V_BACK_MIN = 6,
	V_BLANK_MIN_US = 460,
	REFRESH_HZ = 60,
	BLANK_MAX = 4095,
	CLOCK_STEP_10KHZ = 25,
	CLOCK_MAX_10KHZ = 65535, /* what the field can say */
	CLOCK_MIN_10KHZ =
	    1000, /* readers take less for rubbish; small pictures get a wide blanking */
};

static const uint8_t header[8] = { 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00 };
/* sRGB primaries and white point. */
static const uint8_t colour[10] = { 0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54 };
/* 640x480, 800x600 and 1024x768 at 60 Hz. */
static const uint8_t established[3] = { 0x21, 0x08, 0x00 };

enum standard_aspect {
	ASPECT_16_10 = 0,
	ASPECT_4_3 = 1,
	ASPECT_5_4 = 2,
	ASPECT_16_9 = 3,
};

static const struct {
	uint16_t width;
	uint8_t aspect;
} standard[STANDARD_COUNT] = {
	{ 1280, ASPECT_16_9 },
	{ 1280, ASPECT_16_10 },
	{ 1280, ASPECT_5_4 },
	{ 1440, ASPECT_16_10 },
	{ 1600, ASPECT_16_9 },
	{ 1600, ASPECT_4_3 },
	{ 1680, ASPECT_16_10 },
	{ 1920, ASPECT_16_9 },
};

/* Lines of vertical blanking: at least 460 us of them at the line rate that makes 60 Hz. */
static uint32_t vertical_blank(uint32_t height)
{
	uint32_t frame_us = 1000000 / REFRESH_HZ;
	uint32_t lines = V_BLANK_MIN_US * height / (frame_us - V_BLANK_MIN_US) + 1;

	return lines < V_FRONT + V_SYNC + V_BACK_MIN ? V_FRONT + V_SYNC + V_BACK_MIN : lines;
}

static uint32_t millimetres(uint32_t pixels)
{
	uint32_t length = (pixels * 254 + 480) / 960; /* at 96 pixels an inch */

	return length < 1 ? 1 : length > 4095 ? 4095 : length;
}

/* Section 3.10.2. */
static void put_detailed(uint8_t *at, uint32_t width, uint32_t height)
{
	uint32_t v_blank = vertical_blank(height), h_blank = H_BLANK;
	uint32_t width_mm = millimetres(width), height_mm = millimetres(height);
	uint32_t lines = (height + v_blank) * REFRESH_HZ; /* a second */
	uint64_t clock;

	if ((uint64_t)(width + h_blank) * lines < CLOCK_MIN_10KHZ * 10000) {
		h_blank = CLOCK_MIN_10KHZ * 10000 / lines + 1 - width;
		h_blank = h_blank > BLANK_MAX ? BLANK_MAX : h_blank;
	}
	clock = (uint64_t)(width + h_blank) * lines / 10000;
	clock = h_blank == H_BLANK ? clock - clock % CLOCK_STEP_10KHZ : clock;
	clock = clock > CLOCK_MAX_10KHZ ? CLOCK_MAX_10KHZ : clock;
	at[0] = (uint8_t)clock;
	at[1] = (uint8_t)(clock >> 8);
	at[2] = (uint8_t)width;
	at[3] = (uint8_t)h_blank;
	at[4] = (uint8_t)(width >> 8 << 4 | h_blank >> 8);
	at[5] = (uint8_t)height;
	at[6] = (uint8_t)v_blank;
	at[7] = (uint8_t)(height >> 8 << 4 | v_blank >> 8);
	at[8] = H_FRONT;
	at[9] = H_SYNC;
	at[10] = V_FRONT << 4 | V_SYNC;
	at[11] = 0;
	at[12] = (uint8_t)width_mm;
	at[13] = (uint8_t)height_mm;
	at[14] = (uint8_t)(width_mm >> 8 << 4 | height_mm >> 8);
	at[17] = 0x1a; /* digital separate sync, horizontal positive, vertical negative */
}

/* Section 3.10.3: a display descriptor, its tag and 13 bytes. */
static void put_descriptor(uint8_t *at, uint8_t tag, const void *data)
{
	at[3] = tag;
	memcpy(&at[5], data, DESCRIPTOR_SIZE - 5);
}

void edid_make(uint32_t width, uint32_t height, uint8_t edid[EDID_SIZE])
{
	/* 24-75 Hz, 10-255 kHz, 660 MHz, bare limits. */
	static const uint8_t limits[13] = { 24, 75, 10, 255, 66, 0x01, 0x0a, 0x20, 0x20, 0x20, 0x20,
		0x20, 0x20 };
	static const uint8_t unused[13] = { 0 };
	uint32_t width_cm = millimetres(width) / 10, height_cm = millimetres(height) / 10;
	uint8_t sum = 0;

	assert(width > 0 && width <= EDID_SIDE_MAX && height > 0 && height <= EDID_SIDE_MAX);
	memset(edid, 0, EDID_SIZE);
	memcpy(edid, header, sizeof(header));
	/* Manufacturer "TMS", five bits a letter, big-endian; product 1; week unknown, model year
	 * 2024. */
	edid[OFFSET_VENDOR] = ('T' - '@') << 2 | ('M' - '@') >> 3;
	edid[OFFSET_VENDOR + 1] = (uint8_t)(('M' - '@') << 5 | ('S' - '@'));
	edid[OFFSET_VENDOR + 2] = 1;
	edid[OFFSET_VENDOR + 8] = 0xff;
	edid[OFFSET_VENDOR + 9] = 2024 - 1990;
	edid[OFFSET_VERSION] = 1;
	edid[OFFSET_VERSION + 1] = 4;
	edid[OFFSET_BASIC] = 0xa5; /* digital, 8 bits a colour, DisplayPort */
	edid[OFFSET_BASIC + 1] = (uint8_t)(width_cm < 1 ? 1 : width_cm > 255 ? 255 : width_cm);
	edid[OFFSET_BASIC + 2] = (uint8_t)(height_cm < 1 ? 1 : height_cm > 255 ? 255 : height_cm);
	edid[OFFSET_BASIC + 3] = 120;  /* gamma 2.2 */
	edid[OFFSET_BASIC + 4] = 0x07; /* sRGB, preferred timing is native, continuous frequency */
	memcpy(&edid[OFFSET_COLOUR], colour, sizeof(colour));
	memcpy(&edid[OFFSET_ESTABLISHED], established, sizeof(established));
	for (unsigned i = 0; i < STANDARD_COUNT; i++) {
		edid[OFFSET_STANDARD + 2 * i] = (uint8_t)(standard[i].width / 8 - 31);
		edid[OFFSET_STANDARD + 2 * i + 1] = (uint8_t)(standard[i].aspect << 6 |
							      (REFRESH_HZ - 60));
	}
	put_detailed(&edid[OFFSET_DETAILED], width, height);
	put_descriptor(&edid[OFFSET_DETAILED + DESCRIPTOR_SIZE], 0xfc, "Tanmatsu\n    ");
	put_descriptor(&edid[OFFSET_DETAILED + 2 * DESCRIPTOR_SIZE], 0xfd, limits);
	put_descriptor(&edid[OFFSET_DETAILED + 3 * DESCRIPTOR_SIZE], 0x10, unused);
	for (unsigned i = 0; i < OFFSET_CHECKSUM; i++) {
		sum = (uint8_t)(sum + edid[i]);
	}
	edid[OFFSET_CHECKSUM] = (uint8_t)(0x100 - sum);
}
