/*
 * The picture of a font, for programs that have no font library: anti-aliased glyph bitmaps that
 * tools/mkfont makes at build time. Header-only and freestanding, because a guest kernel and a
 * sandboxed process both draw with it.
 *
 * What must stay true: every range's glyphs lie at [index, index + last - first] in `glyphs`, every
 * glyph's width * height bytes lie at `offset` in `coverage`, and `fallback` is a glyph too. mkfont
 * guarantees it, so that drawing needs no checks.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* One glyph. All lengths are pixels; rows of coverage go top down, `width` bytes each, 0 = clear,
 * 255 = ink. */
struct font_glyph {
	uint32_t offset;  /* its first byte in font_face.coverage */
	int16_t left;     /* from the pen to the bitmap's left edge; may be negative */
	int16_t top;      /* from the baseline up to the bitmap's first row */
	uint16_t width;   /* of the bitmap; 0 for a blank */
	uint16_t height;  /* of the bitmap */
	uint16_t advance; /* how far the pen moves */
};

/* A run of code points, inclusive, whose glyphs are consecutive. */
struct font_range {
	uint32_t first;
	uint32_t last;
	uint32_t index; /* glyph of `first` */
};

/* A face at one size. Ranges are sorted by code point and do not overlap. Kerning is not stored. */
struct font_face {
	const char *name;
	const uint8_t *coverage;
	const struct font_glyph *glyphs;
	const struct font_range *ranges;
	uint32_t range_count;
	uint32_t fallback;   /* glyph for a code point that is in no range */
	int16_t ascent;      /* pixels above the baseline */
	int16_t descent;     /* pixels below the baseline, positive */
	int16_t line_height; /* recommended distance of two baselines */
};

/* The glyph of a Unicode code point; never NULL. */
static inline const struct font_glyph *font_find_glyph(const struct font_face *face, uint32_t code)
{
	for (uint32_t i = 0; i < face->range_count; i++) {
		const struct font_range *range = &face->ranges[i];

		if (code < range->first) {
			break;
		}
		if (code <= range->last) {
			return &face->glyphs[range->index + (code - range->first)];
		}
	}
	return &face->glyphs[face->fallback];
}

/*
 * Decodes one UTF-8 sequence at *text and moves *text past it. Returns the code point, 0 at the
 * terminating NUL (which is not passed), and U+FFFD for each byte that does not belong to a
 * sequence.
 */
static inline uint32_t font_next_code(const char **text)
{
	const unsigned char *byte = (const unsigned char *)*text;
	uint32_t code;
	unsigned int extra;

	if (byte[0] == 0) {
		return 0;
	}
	if (byte[0] < 0x80) {
		*text += 1;
		return byte[0];
	}
	if (byte[0] >= 0xc2 && byte[0] < 0xe0) {
		code = byte[0] & 0x1fu;
		extra = 1;
	} else if (byte[0] >= 0xe0 && byte[0] < 0xf0) {
		code = byte[0] & 0x0fu;
		extra = 2;
	} else if (byte[0] >= 0xf0 && byte[0] < 0xf5) {
		code = byte[0] & 0x07u;
		extra = 3;
	} else {
		*text += 1;
		return 0xfffd;
	}
	for (unsigned int i = 1; i <= extra; i++) {
		if ((byte[i] & 0xc0u) != 0x80u) {
			*text += 1;
			return 0xfffd;
		}
		code = code << 6 | (byte[i] & 0x3fu);
	}
	*text += extra + 1;
	return code;
}

/* The width of a UTF-8 string in pixels: the sum of the advances. */
static inline int font_measure(const struct font_face *face, const char *text)
{
	int width = 0;

	for (uint32_t code = font_next_code(&text); code; code = font_next_code(&text)) {
		width += font_find_glyph(face, code)->advance;
	}
	return width;
}
