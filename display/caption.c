/*
 * Captions (display/caption.h): layout and signs. What must stay true: the card lies inside the canvas, and every line of
 * text inside the card; what a small screen has no room for is left out, the sign first.
 */
#include "display/caption.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/font.h"
#include "display/control.h"
#include "display/draw.h"

extern const struct font_face caption_title_font;
extern const struct font_face caption_text_font;
extern const struct font_face caption_large_title_font;
extern const struct font_face caption_large_text_font;

enum {
	LINES_MAX = 8,
	LARGE_FROM_HEIGHT = 1300, /* screens with smaller pixels get larger letters */
};

#define COLOUR_CARD      0x1a2030u
#define COLOUR_EDGE      0xffffffu
#define COLOUR_TITLE     0xf4f6fbu
#define COLOUR_TEXT      0xb9c2d3u
#define COLOUR_GROOVE    0x343c50u
#define BACKGROUND_ABOVE 0x263248u
#define BACKGROUND_BELOW 0x10151fu

struct line {
	const char *text;
	size_t size;
	bool title;
};

struct style {
	const struct font_face *title, *text;
	int margin;  /* around the card */
	int padding; /* inside */
	int width;   /* of the card, at most */
	int sign;    /* its diameter */
	int gap;
	int bar;
	int radius;
};

struct layout {
	struct line lines[LINES_MAX];
	size_t count;
	bool has_sign, has_bar;
	int text_height;
};

static const struct style normal_style = {
	.title = &caption_title_font,
	.text = &caption_text_font,
	.margin = 16,
	.padding = 36,
	.width = 560,
	.sign = 64,
	.gap = 22,
	.bar = 6,
	.radius = 18,
};

static const struct style large_style = {
	.title = &caption_large_title_font,
	.text = &caption_large_text_font,
	.margin = 24,
	.padding = 54,
	.width = 840,
	.sign = 96,
	.gap = 32,
	.bar = 9,
	.radius = 27,
};

static const struct style small_style = {
	.title = &caption_text_font,
	.text = &caption_text_font,
	.margin = 4,
	.padding = 10,
	.width = 400,
	.sign = 40,
	.gap = 8,
	.bar = 4,
	.radius = 8,
};

/* ---- signs: points of [-1, 1] squared inside the circle ---- */

static bool in_box(double x, double y, double half_width, double half_height)
{
	return fabs(x) <= half_width && fabs(y) <= half_height;
}

static int inside_play(double x, double y)
{
	double across = (x + 0.26) / 0.74; /* 0 at the left edge, 1 at the tip */

	return across >= 0 && across <= 1 && fabs(y) <= 0.46 * (1 - across);
}

static int inside_pause(double x, double y)
{
	return in_box(x - 0.19, y, 0.1, 0.4) || in_box(x + 0.19, y, 0.1, 0.4);
}

static int inside_alarm(double x, double y)
{
	return in_box(x, y + 0.14, 0.09, 0.36) || x * x + (y - 0.44) * (y - 0.44) <= 0.0144;
}

static int inside_arrow(double x, double y)
{
	double across = (0.5 - x) / 0.4; /* 0 at the tip */

	return in_box(x + 0.18, y, 0.32, 0.085) ||
	       (across >= 0 && across <= 1 && fabs(y) <= 0.38 * across);
}

static int inside_power(double x, double y)
{
	double radius = sqrt(x * x + y * y);
	bool gap = y < 0 && fabs(x) < 0.22;

	return (radius >= 0.33 && radius <= 0.49 && !gap) || in_box(x, y + 0.29, 0.08, 0.24);
}

static int inside_info(double x, double y)
{
	return in_box(x, y - 0.14, 0.09, 0.36) || x * x + (y + 0.44) * (y + 0.44) <= 0.0144;
}

static const struct {
	uint32_t colour;
	int (*inside)(double x, double y);
} signs[] = {
	[DISPLAY_CAPTION_STARTING] = { 0x3f7fe8, inside_play },
	[DISPLAY_CAPTION_RESUMING] = { 0x3f7fe8, inside_play },
	[DISPLAY_CAPTION_SUSPENDING] = { 0x2a9d8f, inside_pause },
	[DISPLAY_CAPTION_SAVED] = { 0x2a9d8f, inside_pause },
	[DISPLAY_CAPTION_FAILED] = { 0xd8504a, inside_alarm },
	[DISPLAY_CAPTION_MOVED] = { 0xd0912f, inside_arrow },
	[DISPLAY_CAPTION_OFF] = { 0x6b7690, inside_power },
	[DISPLAY_CAPTION_MESSAGE] = { 0x3f7fe8, inside_info },
};

/* ---- the background ---- */

/* Darker and less colourful, so that the card stands out and the desktop looks away. */
static uint32_t dim(uint32_t pixel)
{
	uint32_t red = pixel >> 16 & 0xff;
	uint32_t green = pixel >> 8 & 0xff;
	uint32_t blue = pixel & 0xff;
	uint32_t grey = (red * 77 + green * 151 + blue * 28) >> 8;

	/* 42 % of a mixture of half colour and half grey, towards a bluish black. */
	red = ((red + grey) * 54 >> 8) + 5;
	green = ((green + grey) * 54 >> 8) + 7;
	blue = ((blue + grey) * 54 >> 8) + 12;
	return red << 16 | green << 8 | blue;
}

void caption_draw_background(const struct caption_canvas *canvas, const uint32_t *frame)
{
	size_t count = (size_t)canvas->width * canvas->height;

	if (frame) {
		for (size_t i = 0; i < count; i++) {
			canvas->pixels[i] = dim(frame[i]);
		}
		return;
	}
	for (uint32_t y = 0; y < canvas->height; y++) {
		uint32_t colour = draw_mix(
		    BACKGROUND_ABOVE, BACKGROUND_BELOW, y * 255 / canvas->height);

		for (uint32_t x = 0; x < canvas->width; x++) {
			canvas->pixels[(size_t)y * canvas->width + x] = colour;
		}
	}
}

/* ---- the card ---- */

/* How many bytes of `text` make the next line of at most `width` pixels: up to a space, or at least one character. */
static size_t fit_line(const struct font_face *face, const char *text, size_t size, int width)
{
	const char *at = text;
	size_t best = 0;

	while (at < text + size) {
		const char *next = at;
		uint32_t code = font_next_code(&next);

		if (code == 0 || next > text + size) {
			break;
		}
		if (code == ' ') {
			best = (size_t)(at - text);
		}
		if (draw_text_width(face, text, (size_t)(next - text)) > width) {
			if (best > 0) {
				return best;
			}
			return at > text ? (size_t)(at - text) : (size_t)(next - text);
		}
		at = next;
	}
	return size;
}

static void add_lines(struct layout *layout, const struct font_face *face, const char *text,
    size_t size, int width, bool title)
{
	while (size > 0 && layout->count < LINES_MAX) {
		size_t used = fit_line(face, text, size, width);

		layout->lines[layout->count++] = (struct line){ text, used, title };
		layout->text_height += face->line_height;
		text += used;
		size -= used;
		while (size > 0 && *text == ' ') {
			text++;
			size--;
		}
	}
}

/* The first sentence, without its full stop if it stands alone. */
static size_t title_size(const char *text)
{
	const char *stop = strstr(text, ". ");
	size_t size = stop ? (size_t)(stop - text) : strlen(text);

	return !stop && size > 0 && text[size - 1] == '.' ? size - 1 : size;
}

static void lay_out(struct layout *layout, const struct style *style, const char *text, int width)
{
	size_t title = title_size(text);
	const char *rest = text + title;

	rest += strspn(rest, ". ");
	*layout = (struct layout){ .has_sign = true };
	add_lines(layout, style->title, text, title, width, true);
	if (*rest) {
		layout->text_height += style->gap / 2;
		add_lines(layout, style->text, rest, strlen(rest), width, false);
	}
}

static int card_height(const struct layout *layout, const struct style *style)
{
	return 2 * style->padding + (layout->has_sign ? style->sign + style->gap : 0) +
	       layout->text_height + (layout->has_bar ? style->gap + style->bar : 0);
}

static void drop_line(struct layout *layout, const struct style *style)
{
	const struct line *last = &layout->lines[layout->count - 1];

	layout->text_height -= last->title ? style->title->line_height : style->text->line_height;
	layout->count--;
}

static void draw_bar(const struct draw_canvas *canvas, const struct style *style,
    struct draw_box box, uint8_t percent, uint32_t colour)
{
	struct draw_box done = box;

	done.width = box.width * percent / 100;
	draw_round_box(canvas, box, style->bar / 2, COLOUR_GROOVE, 255);
	if (done.width >= style->bar) {
		draw_round_box(canvas, done, style->bar / 2, colour, 255);
	}
}

static void draw_lines(const struct draw_canvas *canvas, const struct style *style,
    const struct layout *layout, struct draw_box card, int y)
{
	bool title = true;

	for (size_t i = 0; i < layout->count; i++) {
		const struct line *line = &layout->lines[i];
		const struct font_face *face = line->title ? style->title : style->text;
		int width = draw_text_width(face, line->text, line->size);

		if (title && !line->title) {
			y += style->gap / 2;
		}
		title = line->title;
		draw_text(canvas, face, card.x + (card.width - width) / 2, y + face->ascent,
		    line->text, line->size, line->title ? COLOUR_TITLE : COLOUR_TEXT);
		y += face->line_height;
	}
}

static void draw_contents(const struct draw_canvas *canvas, const struct style *style,
    const struct layout *layout, struct draw_box card, uint8_t kind, uint8_t percent)
{
	struct draw_box sign = {
		.x = card.x + (card.width - style->sign) / 2,
		.y = card.y + style->padding,
		.width = style->sign,
		.height = style->sign,
	};
	struct draw_box bar = {
		.x = card.x + style->padding,
		.y = card.y + card.height - style->padding - style->bar,
		.width = card.width - 2 * style->padding,
		.height = style->bar,
	};
	int y = card.y + style->padding;

	if (layout->has_sign) {
		draw_round_box(canvas, sign, style->sign / 2, signs[kind].colour, 255);
		draw_shape(canvas, sign, signs[kind].inside, 0xffffff);
		y += style->sign + style->gap;
	}
	draw_lines(canvas, style, layout, card, y);
	if (layout->has_bar) {
		draw_bar(canvas, style, bar, percent, signs[kind].colour);
	}
}

struct caption_box caption_draw_card(
    const struct caption_canvas *canvas, uint8_t kind, const char *text, uint8_t percent)
{
	const struct draw_canvas to = { canvas->pixels, (int)canvas->width, (int)canvas->height };
	const struct style *style = to.height >= LARGE_FROM_HEIGHT && to.width >= LARGE_FROM_HEIGHT
					? &large_style
				    : to.height < 400 || to.width < 400 ? &small_style
									: &normal_style;
	int width = to.width - 2 * style->margin < style->width ? to.width - 2 * style->margin
								: style->width;
	struct draw_box card, shadow;
	struct layout layout;

	if (kind >= sizeof(signs) / sizeof(signs[0]) || !signs[kind].inside) {
		kind = DISPLAY_CAPTION_MESSAGE;
	}
	if (width <= 2 * style->padding + style->title->line_height) {
		return (struct caption_box){ 0 }; /* no room for a word */
	}
	lay_out(&layout, style, text, width - 2 * style->padding);
	layout.has_bar = percent <= 100;
	layout.has_sign = card_height(&layout, style) <= to.height - 2 * style->margin;
	while (layout.count > 1 && card_height(&layout, style) > to.height - 2 * style->margin) {
		drop_line(&layout, style);
	}
	if (card_height(&layout, style) > to.height) {
		return (struct caption_box){ 0 };
	}
	card = (struct draw_box){ .width = width, .height = card_height(&layout, style) };
	card.x = (to.width - card.width) / 2;
	card.y = (to.height - card.height) / 2;
	shadow = card;
	shadow.y += style->gap / 2;
	draw_shadow(&to, shadow, style->radius, 2 * style->gap, 110);
	draw_round_box(&to, card, style->radius, COLOUR_CARD, 245);
	draw_round_outline(&to, card, style->radius, COLOUR_EDGE, 26);
	draw_contents(&to, style, &layout, card, kind, percent);
	return (struct caption_box){ card.x, card.y, card.width, card.height };
}
