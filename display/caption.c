#include "display/caption.h"
void caption_draw_background(const struct caption_canvas *canvas, const uint32_t *frame)
{
	for (uint32_t i = 0; i < canvas->width * canvas->height; i++) {
		canvas->pixels[i] = frame ? (frame[i] >> 1) & 0x7f7f7f : 0x202a3c;
	}
}
struct caption_box caption_draw_card(
    const struct caption_canvas *canvas, uint8_t kind, const char *text, uint8_t percent)
{
	(void)kind;
	(void)text;
	(void)percent;
	return (struct caption_box){ 0, 0, (int)canvas->width, (int)canvas->height };
}
