/* Lines, caret and selection of the editor; see document.h for what must stay true. */
#include "apps/document.h"

#include "base/font.h"
#include "lib/text.h"

#include <string.h>

#define LINE_STEP 32

static void mark(struct document *document, int first, int last)
{
	if (document->changed_last < document->changed_first) {
		document->changed_first = first;
		document->changed_last = last;
		return;
	}
	document->changed_first = first < document->changed_first ? first : document->changed_first;
	document->changed_last = last > document->changed_last ? last : document->changed_last;
}

static void mark_all(struct document *document, int first)
{
	mark(document, first, INT32_MAX);
}

bool document_take_changes(struct document *document, int *first, int *last)
{
	*first = document->changed_first;
	*last = document->changed_last;
	document->changed_first = 0;
	document->changed_last = -1;
	return *last >= *first;
}

bool document_init(struct document *document, struct heap *heap)
{
	*document = (struct document){ .heap = heap, .capacity = 64, .changed_last = -1 };
	document->lines = heap_alloc(heap, sizeof(*document->lines) * 64);
	document->count = 1;
	return document->lines != NULL;
}

void document_fini(struct document *document)
{
	for (int i = 0; document->lines && i < document->count; i++) {
		heap_free(document->heap, document->lines[i].text);
	}
	heap_free(document->heap, document->lines);
	document->lines = NULL;
}

static bool reserve(struct document *document, struct document_line *line, int length)
{
	uint16_t *grown;

	if (length <= line->capacity) {
		return true;
	}
	length += LINE_STEP;
	grown = heap_resize(document->heap, line->text, (size_t)length * sizeof(*grown));
	if (!grown) {
		return false;
	}
	line->text = grown;
	line->capacity = length;
	return true;
}

/* Opens a gap for a new, empty line at index `at`. */
static bool insert_line(struct document *document, int at)
{
	if (document->count == document->capacity) {
		int capacity = document->capacity * 2;
		struct document_line *grown = heap_resize(
		    document->heap, document->lines, (size_t)capacity * sizeof(*grown));

		if (!grown) {
			return false;
		}
		document->lines = grown;
		document->capacity = capacity;
	}
	memmove(document->lines + at + 1, document->lines + at,
	    (size_t)(document->count - at) * sizeof(*document->lines));
	document->lines[at] = (struct document_line){ NULL, 0, 0 };
	document->count++;
	return true;
}

static void remove_line(struct document *document, int at)
{
	heap_free(document->heap, document->lines[at].text);
	memmove(document->lines + at, document->lines + at + 1,
	    (size_t)(document->count - at - 1) * sizeof(*document->lines));
	document->count--;
}

static void set_caret(struct document *document, struct document_place place, bool select)
{
	int before = document->caret.line;

	if (!select && (document->anchor.line != document->caret.line ||
			   document->anchor.column != document->caret.column)) {
		mark(document, document->anchor.line < before ? document->anchor.line : before,
		    document->anchor.line > before ? document->anchor.line : before);
	}
	document->caret = place;
	if (!select) {
		document->anchor = place;
	}
	mark(document, before < place.line ? before : place.line,
	    before > place.line ? before : place.line);
}

bool document_selection(
    const struct document *document, struct document_place *from, struct document_place *to)
{
	struct document_place a = document->caret;
	struct document_place b = document->anchor;
	bool ordered = a.line < b.line || (a.line == b.line && a.column <= b.column);

	*from = ordered ? a : b;
	*to = ordered ? b : a;
	return a.line != b.line || a.column != b.column;
}

bool document_remove_selection(struct document *document)
{
	struct document_place from;
	struct document_place to;
	struct document_line *first;
	struct document_line *last;
	int tail;

	if (!document_selection(document, &from, &to)) {
		return false;
	}
	first = &document->lines[from.line];
	last = &document->lines[to.line];
	tail = last->length - to.column;
	if (!reserve(document, first, from.column + tail)) {
		return false;
	}
	if (tail > 0) {
		memmove(first->text + from.column, last->text + to.column,
		    (size_t)tail * sizeof(*first->text));
	}
	first->length = from.column + tail;
	for (int i = to.line; i > from.line; i--) {
		remove_line(document, i);
	}
	if (to.line > from.line) {
		mark_all(document, from.line);
	}
	document->anchor = from;
	document->caret = from;
	mark(document, from.line, from.line);
	document->wanted_column = from.column;
	document->modified = true;
	return true;
}

static bool split_line(struct document *document)
{
	struct document_place at = document->caret;
	struct document_line *line;
	struct document_line *next;
	int tail;

	if (!insert_line(document, at.line + 1)) {
		return false;
	}
	line = &document->lines[at.line];
	next = line + 1;
	tail = line->length - at.column;
	if (!reserve(document, next, tail)) {
		remove_line(document, at.line + 1);
		return false;
	}
	if (tail > 0) {
		memcpy(next->text, line->text + at.column, (size_t)tail * sizeof(*line->text));
	}
	next->length = tail;
	line->length = at.column;
	mark_all(document, at.line);
	set_caret(document, (struct document_place){ at.line + 1, 0 }, false);
	return true;
}

bool document_type(struct document *document, uint32_t code)
{
	struct document_line *line;
	int at;

	(void)document_remove_selection(document);
	document->modified = true;
	if (code == '\n') {
		document->wanted_column = 0;
		return split_line(document);
	}
	line = &document->lines[document->caret.line];
	at = document->caret.column;
	if (!reserve(document, line, line->length + 1)) {
		return false;
	}
	memmove(line->text + at + 1, line->text + at,
	    (size_t)(line->length - at) * sizeof(*line->text));
	line->text[at] = (uint16_t)(code < 0x10000 ? code : 0xfffd);
	line->length++;
	set_caret(document, (struct document_place){ document->caret.line, at + 1 }, false);
	document->wanted_column = at + 1;
	return true;
}

void document_insert(struct document *document, const char *text, size_t size)
{
	char piece[8];
	size_t at = 0;

	while (at < size) {
		const char *cursor = piece;
		size_t length = size - at < 4 ? size - at : 4;
		uint32_t code;

		/* Decoding stops at a NUL, and this copy always has one. */
		memcpy(piece, text + at, length);
		piece[length] = '\0';
		code = font_next_code(&cursor);
		at += code ? (size_t)(cursor - piece) : 1;
		if (code == '\t') {
			for (int i = 0; i < 4; i++) {
				(void)document_type(document, ' ');
			}
		} else if (code == '\n' || code >= ' ') {
			if (!document_type(document, code)) {
				return;
			}
		}
	}
}

static struct document_place step_left(const struct document *document, struct document_place p)
{
	if (p.column > 0) {
		p.column--;
	} else if (p.line > 0) {
		p.line--;
		p.column = document->lines[p.line].length;
	}
	return p;
}

static struct document_place step_right(const struct document *document, struct document_place p)
{
	if (p.column < document->lines[p.line].length) {
		p.column++;
	} else if (p.line + 1 < document->count) {
		p.line++;
		p.column = 0;
	}
	return p;
}

void document_backspace(struct document *document)
{
	if (!document_remove_selection(document)) {
		document->anchor = step_left(document, document->caret);
		(void)document_remove_selection(document);
	}
}

void document_delete(struct document *document)
{
	if (!document_remove_selection(document)) {
		document->anchor = step_right(document, document->caret);
		(void)document_remove_selection(document);
	}
}

/* True between a blank and a word, where word moves stop. */
static bool at_word(const struct document *document, struct document_place p)
{
	const struct document_line *line = &document->lines[p.line];

	return p.column == 0 || p.column == line->length ||
	       (line->text[p.column - 1] == ' ' && line->text[p.column] != ' ');
}

void document_place_caret(struct document *document, struct document_place place, bool select)
{
	place.line = place.line < 0                  ? 0
		     : place.line >= document->count ? document->count - 1
						     : place.line;
	place.column = place.column < 0 ? 0 : place.column;
	if (place.column > document->lines[place.line].length) {
		place.column = document->lines[place.line].length;
	}
	set_caret(document, place, select);
	document->wanted_column = place.column;
}

void document_move_rows(struct document *document, int rows, bool select)
{
	struct document_place place = { document->caret.line + rows, document->wanted_column };
	int wanted = document->wanted_column;

	document_place_caret(document, place, select);
	document->wanted_column = wanted;
}

void document_move(struct document *document, enum document_move move, bool select)
{
	struct document_place p = document->caret;

	switch (move) {
	case DOCUMENT_LEFT:
		p = step_left(document, p);
		break;
	case DOCUMENT_RIGHT:
		p = step_right(document, p);
		break;
	case DOCUMENT_WORD_LEFT:
		do {
			p = step_left(document, p);
		} while (!at_word(document, p));
		break;
	case DOCUMENT_WORD_RIGHT:
		do {
			p = step_right(document, p);
		} while (!at_word(document, p));
		break;
	case DOCUMENT_UP:
	case DOCUMENT_DOWN:
		document_move_rows(document, move == DOCUMENT_UP ? -1 : 1, select);
		return;
	case DOCUMENT_HOME:
		p.column = 0;
		break;
	case DOCUMENT_END:
		p.column = document->lines[p.line].length;
		break;
	case DOCUMENT_START:
		p = (struct document_place){ 0, 0 };
		break;
	case DOCUMENT_FINISH:
		p.line = document->count - 1;
		p.column = document->lines[p.line].length;
		break;
	}
	document_place_caret(document, p, select);
}

void document_select_all(struct document *document)
{
	document_move(document, DOCUMENT_START, false);
	document_move(document, DOCUMENT_FINISH, true);
}

char *document_copy(const struct document *document, struct document_place from,
    struct document_place to, size_t *size)
{
	size_t most = 1;
	size_t at = 0;
	char *text;

	for (int i = from.line; i <= to.line; i++) {
		most += (size_t)document->lines[i].length * 3 + 1;
	}
	text = heap_alloc(document->heap, most);
	if (!text) {
		return NULL;
	}
	for (int i = from.line; i <= to.line; i++) {
		const struct document_line *line = &document->lines[i];
		int end = i == to.line ? to.column : line->length;

		for (int c = i == from.line ? from.column : 0; c < end; c++) {
			at += text_encode(text + at, line->text[c]);
		}
		if (i < to.line) {
			text[at++] = '\n';
		}
	}
	*size = at;
	return text;
}

char *document_copy_all(const struct document *document, size_t *size)
{
	struct document_place end = { document->count - 1,
		document->lines[document->count - 1].length };

	return document_copy(document, (struct document_place){ 0, 0 }, end, size);
}
