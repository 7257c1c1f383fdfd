/* The editor's model, and the editor as a user meets it: typing, moving, selecting, saving. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/input-event-codes.h>
#include <stdlib.h>
#include <string.h>

#include "apps/caret.h"
#include "apps/document.h"
#include "host/host_platform.h"
#include "ui/desktop.h"

static struct heap heap;
static void *memory;

static int setup(void **state)
{
	(void)state;
	memory = aligned_alloc(16, 4u << 20);
	heap_init(&heap, memory, 4u << 20);
	return memory ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

static void assert_text(const struct document *document, const char *expected)
{
	size_t size = 0;
	char *text = document_copy_all(document, &size);

	assert_non_null(text);
	assert_int_equal(size, strlen(expected));
	assert_memory_equal(text, expected, size);
	heap_free(&heap, text);
}

static void insert(struct document *document, const char *text)
{
	document_insert(document, text, strlen(text));
}

static void test_typing(void **state)
{
	struct document document;

	(void)state;
	assert_true(document_init(&document, &heap));
	insert(&document, "hello\nwo\xc3\xa4rld");
	assert_text(&document, "hello\nwo\xc3\xa4rld");
	assert_int_equal(document.count, 2);
	assert_int_equal(document.caret.line, 1);
	assert_int_equal(document.caret.column, 6);
	document_move(&document, DOCUMENT_HOME, false);
	document_backspace(&document);
	assert_text(&document, "hellowo\xc3\xa4rld");
	assert_true(document_type(&document, '\n'));
	document_delete(&document);
	assert_text(&document, "hello\no\xc3\xa4rld");
	document_move(&document, DOCUMENT_START, false);
	document_backspace(&document);
	document_move(&document, DOCUMENT_FINISH, false);
	document_delete(&document);
	assert_text(&document, "hello\no\xc3\xa4rld");
	document_fini(&document);
	assert_int_equal(heap.used, 0);
}

static void test_selection(void **state)
{
	struct document document;
	struct document_place from;
	struct document_place to;
	size_t size;
	char *text;

	(void)state;
	assert_true(document_init(&document, &heap));
	insert(&document, "one two\nthree\nfour");
	assert_false(document_selection(&document, &from, &to));
	document_place_caret(&document, (struct document_place){ 0, 4 }, false);
	document_place_caret(&document, (struct document_place){ 2, 2 }, true);
	assert_true(document_selection(&document, &from, &to));
	text = document_copy(&document, from, to, &size);
	assert_int_equal(size, 12);
	assert_memory_equal(text, "two\nthree\nfo", 12);
	heap_free(&heap, text);
	assert_true(document_type(&document, 'X'));
	assert_text(&document, "one Xur");
	document_select_all(&document);
	assert_true(document_remove_selection(&document));
	assert_text(&document, "");
	document_fini(&document);
}

static void test_moving(void **state)
{
	struct document document;

	(void)state;
	assert_true(document_init(&document, &heap));
	insert(&document, "a long line\nx\nanother line");
	document_move(&document, DOCUMENT_UP, false);
	assert_int_equal(document.caret.column, 1);
	document_move(&document, DOCUMENT_UP, false);
	assert_int_equal(document.caret.column, 11);
	document_move(&document, DOCUMENT_WORD_LEFT, false);
	assert_int_equal(document.caret.column, 7);
	document_move(&document, DOCUMENT_WORD_RIGHT, false);
	assert_int_equal(document.caret.column, 11);
	document_move(&document, DOCUMENT_RIGHT, false);
	assert_int_equal(document.caret.line, 1);
	assert_int_equal(document.caret.column, 0);
	document_move_rows(&document, -100, false);
	assert_int_equal(document.caret.line, 0);
	document_place_caret(&document, (struct document_place){ 99, 99 }, false);
	assert_int_equal(document.caret.line, 2);
	assert_int_equal(document.caret.column, 12);
	document_fini(&document);
}

/* Whatever is typed, the model equals a plain buffer that is edited in the same way. */
static void test_against_a_plain_buffer(void **state)
{
	struct document document;
	char plain[4096];
	size_t length = 0;
	size_t at = 0;
	uint32_t random = 7;

	(void)state;
	assert_true(document_init(&document, &heap));
	for (int i = 0; i < 3000; i++) {
		random = random * 1664525u + 1013904223u;
		switch (random >> 24 & 7) {
		case 0:
		case 1:
		case 2:
		case 3: {
			char c = (random >> 16 & 15) == 0 ? '\n'
							  : (char)('a' + (random >> 16 & 15));

			assert_true(document_type(&document, (uint32_t)c));
			memmove(plain + at + 1, plain + at, length - at);
			plain[at++] = c;
			length++;
			break;
		}
		case 4:
			document_backspace(&document);
			if (at > 0) {
				at--;
				memmove(plain + at, plain + at + 1, length - at - 1);
				length--;
			}
			break;
		case 5:
			document_delete(&document);
			if (at < length) {
				memmove(plain + at, plain + at + 1, length - at - 1);
				length--;
			}
			break;
		case 6:
			document_move(&document, DOCUMENT_LEFT, false);
			at -= at > 0;
			break;
		default:
			document_move(&document, DOCUMENT_RIGHT, false);
			at += at < length;
			break;
		}
	}
	plain[length] = '\0';
	assert_text(&document, plain);
	document_fini(&document);
	assert_int_equal(heap.used, 0);
}

static void test_running_out_of_memory(void **state)
{
	struct document document;
	struct heap small;
	static char region[8192] __attribute__((aligned(16)));

	(void)state;
	heap_init(&small, region, sizeof(region));
	assert_true(document_init(&document, &small));
	for (int i = 0; i < 10000; i++) {
		(void)document_type(&document, i % 50 ? 'x' : '\n');
	}
	document_move(&document, DOCUMENT_START, false);
	document_fini(&document);
	assert_int_equal(small.used, 0);
}

static void test_caret_comes_to_rest(void **state)
{
	struct caret caret = { .hidden = true };
	uint64_t now = 1000;
	uint64_t next = caret_restart(&caret, now);
	int turns = 0;

	(void)state;
	while (next != UINT64_MAX) {
		assert_true(next > now);
		now = next;
		next = caret_tick(&caret, now);
		turns++;
	}
	assert_false(caret.hidden);
	assert_true(now < 12000);
	assert_true(turns > 10);
}

static void test_saving(void **state)
{
	static struct host_platform host;
	struct desktop *desktop;
	struct fs_file *file;
	static const int keys[] = { KEY_H, KEY_I, KEY_ENTER };

	(void)state;
	assert_true(host_platform_init(&host, "demo.app=editor", 16u << 20));
	assert_int_equal(desktop_create(&host.platform, &host.heap, 800, 600, &desktop), 0);
	for (int i = 0; i < 3; i++) {
		struct platform_event event = { PLATFORM_EVENT_KEY, keys[i], 1, 0, 0 };

		desktop_handle_event(desktop, &event);
		event.value = 0;
		desktop_handle_event(desktop, &event);
	}
	desktop_handle_event(
	    desktop, &(struct platform_event){ PLATFORM_EVENT_KEY, KEY_LEFTCTRL, 1, 0, 0 });
	desktop_handle_event(
	    desktop, &(struct platform_event){ PLATFORM_EVENT_KEY, KEY_S, 1, 0, 0 });
	file = fs_find(&desktop->fs, "untitled.txt");
	assert_non_null(file);
	assert_int_equal(file->size, 3);
	assert_memory_equal(file->data, "hi\n", 3);
	assert_non_null(strstr(host.serial, "editor: saved untitled.txt 3 bytes\n"));
	desktop_destroy(desktop);
	host_platform_fini(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_typing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_selection, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moving, setup, teardown),
		cmocka_unit_test_setup_teardown(test_against_a_plain_buffer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_running_out_of_memory, setup, teardown),
		cmocka_unit_test(test_caret_comes_to_rest),
		cmocka_unit_test(test_saving),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
