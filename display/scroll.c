/*
 * Moves by row hashes (display/scroll.h), in columns of a tile's width, so that a scroll bar or a border beside the text
 * does not hide them: rows that are unique in the old column vote for how far they went, and the winner is then tried on
 * every column. What must stay true: after a move is told, the picture holds what a viewer holds that did the same, and
 * all that moved is suspected and compared again.
 */
#include "display/scroll.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "display/scanout.h"

enum {
	PIXEL_SIZE = 4,
	TILES_MIN = 12,     /* changed ones, below which it is not worth looking */
	ROWS_MAX = 4096,    /* of a picture that is looked at */
	COLUMNS_MAX = 256,  /* of tiles */
	COLUMNS_ASKED = 12, /* that vote */
	SLOTS = 8192,       /* of the hash table, twice ROWS_MAX */
	VOTES_MIN = 6,
	RUN_MIN = 12,        /* rows that moved together */
	GAIN_MIN = 8 * 1024, /* pixels that need not be sent */
	MOVES_MAX = 512,
};

/* What has changed of a column of tiles. */
struct column {
	uint32_t x1, x2, y1, y2; /* without x2 and y2; x1 >= x2: nothing */
};

struct slot {
	uint64_t hash;
	uint32_t row; /* plus one; 0: free */
	bool twice;
};

struct scroll {
	struct column columns[COLUMNS_MAX];
	struct slot slots[SLOTS];
	uint32_t votes[2 * ROWS_MAX];
	struct scroll_move moves[MOVES_MAX];
	size_t move_count;
	uint64_t gain; /* pixels */
};

struct pair {
	struct picture *picture;
	const struct picture_source *source;
};

static const uint32_t *old_row(const struct pair *pair, uint32_t x, uint32_t y)
{
	return pair->picture->pixels + (size_t)y * pair->picture->width + x;
}

static const uint32_t *new_row(const struct pair *pair, uint32_t x, uint32_t y)
{
	return (const uint32_t *)(const void *)(pair->source->pixels +
						(size_t)y * pair->source->stride) +
	       x;
}

int scroll_create(struct scroll **scroll)
{
	*scroll = calloc(1, sizeof(**scroll));
	return *scroll ? 0 : -ENOMEM;
}

void scroll_destroy(struct scroll *scroll)
{
	free(scroll);
}

static bool tile_differs(const struct pair *pair, uint32_t column, uint32_t row)
{
	uint32_t x = column * PICTURE_TILE_WIDTH;
	uint32_t y = row * PICTURE_TILE_HEIGHT;
	uint32_t width = pair->picture->width - x;
	uint32_t end = y + PICTURE_TILE_HEIGHT;

	width = width < PICTURE_TILE_WIDTH ? width : PICTURE_TILE_WIDTH;
	end = end < pair->picture->height ? end : pair->picture->height;
	for (; y < end; y++) {
		if (memcmp(old_row(pair, x, y), new_row(pair, x, y), (size_t)width * PIXEL_SIZE)) {
			return true;
		}
	}
	return false;
}

/* Suspects only what differs, and notes which tiles of each column do. Returns how many. */
static size_t find_changed_tiles(struct scroll *scroll, const struct pair *pair)
{
	struct picture *picture = pair->picture;
	size_t count = 0;

	memset(scroll->columns, 0, sizeof(scroll->columns));
	for (uint32_t row = 0; row < picture->rows; row++) {
		uint8_t *suspects = picture->suspects + (size_t)row * picture->columns;

		for (uint32_t i = 0; i < picture->columns; i++) {
			struct column *column = &scroll->columns[i];

			if (!suspects[i]) {
				continue;
			}
			suspects[i] = tile_differs(pair, i, row);
			if (suspects[i]) {
				column->y1 = column->y2 ? column->y1 : row * PICTURE_TILE_HEIGHT;
				column->y2 = (row + 1) * PICTURE_TILE_HEIGHT;
				count++;
			}
		}
	}
	return count;
}

/* The pixels of a column from the leftmost to the rightmost that differs. */
static void narrow_column(const struct pair *pair, struct column *column, uint32_t index)
{
	uint32_t left = index * PICTURE_TILE_WIDTH;
	uint32_t right = left + PICTURE_TILE_WIDTH;

	right = right < pair->picture->width ? right : pair->picture->width;
	column->y2 = column->y2 < pair->picture->height ? column->y2 : pair->picture->height;
	column->x1 = right;
	column->x2 = left;
	for (uint32_t y = column->y1; y < column->y2; y++) {
		const uint32_t *before = old_row(pair, 0, y);
		const uint32_t *after = new_row(pair, 0, y);

		for (uint32_t x = left; x < column->x1; x++) {
			column->x1 = before[x] != after[x] ? x : column->x1;
		}
		for (uint32_t x = right; x > column->x2; x--) {
			if (before[x - 1] != after[x - 1]) {
				column->x2 = x;
			}
		}
	}
}

static uint64_t hash_row(const uint32_t *pixels, uint32_t count)
{
	uint64_t a = 0x9E3779B97F4A7C15u;
	uint64_t b = 0xC2B2AE3D27D4EB4Fu;
	uint32_t i;

	/* Two chains of two pixels a step, which a processor multiplies side by side. */
	for (i = 0; i + 4 <= count; i += 4) {
		uint64_t words[2];

		memcpy(words, pixels + i, sizeof(words));
		a = (a ^ words[0]) * 0xD6E8FEB86659FD93u;
		b = (b ^ words[1]) * 0xA0761D6478BD642Fu;
	}
	for (; i < count; i++) {
		a = (a ^ pixels[i]) * 0xD6E8FEB86659FD93u;
	}
	a = (a ^ (b << 29 | b >> 35)) * 0xD6E8FEB86659FD93u;
	return a ^ a >> 32;
}

static struct slot *find_slot(struct scroll *scroll, uint64_t hash)
{
	size_t at = (size_t)(hash >> 20) % SLOTS;

	while (scroll->slots[at].row && scroll->slots[at].hash != hash) {
		at = (at + 1) % SLOTS;
	}
	return &scroll->slots[at];
}

/* Each changed row that lay elsewhere in the column, and only there, says how far it went. */
static void vote(struct scroll *scroll, const struct pair *pair, const struct column *column)
{
	uint32_t width = column->x2 - column->x1;

	memset(scroll->slots, 0, sizeof(scroll->slots));
	for (uint32_t y = column->y1; y < column->y2; y++) {
		uint64_t hash = hash_row(old_row(pair, column->x1, y), width);
		struct slot *slot = find_slot(scroll, hash);

		slot->twice = slot->row != 0;
		slot->hash = hash;
		slot->row = y + 1;
	}
	for (uint32_t y = column->y1; y < column->y2; y++) {
		const struct slot *slot = find_slot(
		    scroll, hash_row(new_row(pair, column->x1, y), width));

		if (slot->row && !slot->twice && slot->row - 1 != y) {
			scroll->votes[ROWS_MAX + y - (slot->row - 1)]++;
		}
	}
}

/* How far most went down, 0 if nothing speaks for a move. */
static int32_t ask_columns(struct scroll *scroll, const struct pair *pair)
{
	uint32_t asked = 0;
	uint32_t changed = 0;
	uint32_t best = ROWS_MAX;

	memset(scroll->votes, 0, sizeof(scroll->votes));
	for (uint32_t i = 0; i < pair->picture->columns; i++) {
		changed += scroll->columns[i].y2 > 0;
	}
	for (uint32_t i = 0, seen = 0; i < pair->picture->columns; i++) {
		struct column *column = &scroll->columns[i];

		if (column->y2 == 0) {
			continue;
		}
		narrow_column(pair, column, i);
		/* Evenly over the changed ones. */
		if (seen++ * COLUMNS_ASKED >= asked * changed && column->x1 < column->x2) {
			vote(scroll, pair, column);
			asked++;
		}
	}
	for (uint32_t i = 1; i < 2 * ROWS_MAX; i++) {
		best = scroll->votes[i] > scroll->votes[best] ? i : best;
	}
	return scroll->votes[best] >= VOTES_MIN ? (int32_t)best - ROWS_MAX : 0;
}

/* Adds rows [y1, y2) of a column; columns beside each other that moved alike become one. */
static void add_move(
    struct scroll *scroll, const struct column *column, uint32_t y1, uint32_t y2, int32_t down)
{
	for (size_t i = scroll->move_count; i-- > 0;) {
		struct scroll_move *move = &scroll->moves[i];

		if (move->x + move->width == column->x1 && move->y == y1 &&
		    move->height == y2 - y1) {
			move->width += column->x2 - column->x1;
			return;
		}
	}
	if (scroll->move_count < MOVES_MAX) {
		scroll->moves[scroll->move_count++] = (struct scroll_move){
			.x = column->x1,
			.y = y1,
			.width = column->x2 - column->x1,
			.height = y2 - y1,
			.down = down,
		};
	}
}

/* The runs of rows of a column that are as they were `down` rows above. */
static void try_column(
    struct scroll *scroll, const struct pair *pair, const struct column *column, int32_t down)
{
	uint32_t first = down > 0 ? column->y1 + (uint32_t)down : column->y1;
	uint32_t end = down < 0 ? column->y2 - (uint32_t)-down : column->y2;
	size_t size = (size_t)(column->x2 - column->x1) * PIXEL_SIZE;

	if ((uint32_t)abs(down) >= column->y2 - column->y1) {
		return;
	}
	for (uint32_t y = first; y < end; y++) {
		uint32_t start = UINT32_MAX; /* the first row of the run that changed */
		uint32_t last = 0;
		uint32_t changed = 0;

		for (; y < end && memcmp(new_row(pair, column->x1, y),
				      old_row(pair, column->x1, y - (uint32_t)down), size) == 0;
		     y++) {
			if (memcmp(
				new_row(pair, column->x1, y), old_row(pair, column->x1, y), size)) {
				start = start < y ? start : y;
				last = y;
				changed++;
			}
		}
		if (changed && last + 1 - start >= RUN_MIN) {
			scroll->gain += (uint64_t)changed * (column->x2 - column->x1);
			add_move(scroll, column, start, last + 1, down);
		}
	}
}

/* So that no row is overwritten that is still to be moved: what lies furthest in the direction goes first. */
static int compare_down(const void *a, const void *b)
{
	const struct scroll_move *first = a;
	const struct scroll_move *second = b;

	if (first->y == second->y) {
		return 0;
	}
	return (first->y > second->y) == (first->down > 0) ? -1 : 1;
}

static void suspect_move(struct picture *picture, const struct scroll_move *move)
{
	uint32_t first = move->x / PICTURE_TILE_WIDTH;
	uint32_t last = (move->x + move->width - 1) / PICTURE_TILE_WIDTH;

	for (uint32_t row = move->y / PICTURE_TILE_HEIGHT;
	     row <= (move->y + move->height - 1) / PICTURE_TILE_HEIGHT; row++) {
		memset(picture->suspects + (size_t)row * picture->columns + first, 1,
		    last - first + 1);
	}
}

static void move_rows(struct picture *picture, const struct scroll_move *move)
{
	size_t size = (size_t)move->width * PIXEL_SIZE;

	for (uint32_t i = 0; i < move->height; i++) {
		uint32_t y = move->y + (move->down > 0 ? move->height - 1 - i : i);
		uint32_t *to = picture->pixels + (size_t)y * picture->width + move->x;

		memcpy(to, to - (ptrdiff_t)move->down * (ptrdiff_t)picture->width, size);
	}
	suspect_move(picture, move);
}

void scroll_apply(struct scroll *scroll, struct picture *picture,
    const struct picture_source *source, const struct scanout_span *spans, size_t span_count,
    scroll_moved moved, void *context)
{
	struct pair pair = { picture, source };
	int32_t down;

	if (picture->columns > COLUMNS_MAX || picture->height > ROWS_MAX ||
	    source->width != picture->width || source->height != picture->height) {
		return;
	}
	if (picture_suspect_spans(picture, source, spans, span_count) < TILES_MIN ||
	    find_changed_tiles(scroll, &pair) < TILES_MIN) {
		return;
	}
	down = ask_columns(scroll, &pair);
	if (down == 0) {
		return;
	}
	scroll->move_count = 0;
	scroll->gain = 0;
	for (uint32_t i = 0; i < picture->columns; i++) {
		if (scroll->columns[i].y2 > 0 && scroll->columns[i].x1 < scroll->columns[i].x2) {
			try_column(scroll, &pair, &scroll->columns[i], down);
		}
	}
	if (scroll->gain < GAIN_MIN) {
		return;
	}
	qsort(scroll->moves, scroll->move_count, sizeof(scroll->moves[0]), compare_down);
	for (size_t i = 0; i < scroll->move_count; i++) {
		move_rows(picture, &scroll->moves[i]);
	}
	moved(context, scroll->moves, scroll->move_count);
}
