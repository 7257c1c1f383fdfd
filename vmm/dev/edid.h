/*
 * The monitor's identity, as the display adapter hands it out: VESA Enhanced EDID 1.4 (Release A,
 * revision 2), one base block whose first detailed timing is the preferred mode (CVT reduced
 * blanking numbers at 60 Hz). Pure.
 */
#pragma once

#include <stdint.h>

enum {
	EDID_SIZE = 128,
	EDID_SIDE_MAX = 4095, /* what a detailed timing can say */
};

/* Writes a valid block, checksum included. Both sizes in pixels, 1 to EDID_SIDE_MAX. */
void edid_make(uint32_t width, uint32_t height, uint8_t edid[EDID_SIZE]);
