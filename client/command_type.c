/*
 * `tanmatsu type`: a text becomes key presses of the desktop's keyboard layout. The whole text is translated before the
 * first key goes out, so that a character that cannot be typed leaves nothing half done.
 */
#include <errno.h>
#include <linux/input-event-codes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/font.h"
#include "client/answer.h"
#include "client/arguments.h"
#include "client/client.h"
#include "client/command.h"
#include "client/control.h"
#include "input/event.h"
#include "input/keymap.h"

enum {
	TEXT_LIMIT = 1024 * 1024,
	BATCH_EVENTS = 64, /* in one call: what one message to the desktop holds */
	MISSING_MAX = 16,  /* characters that are named in the message */
	STALLS_MAX = 100,  /* calls in a row that take nothing, STALL_MS apart, until we give up */
	STALL_MS = 50,
	DELAY_MS = 8, /* per key: faster than fingers, slower than a guest that redraws at each */
	DELAY_MAX_MS = 10000,
};

struct typing {
	struct input_event *events;
	size_t count;
	size_t capacity;
	uint32_t missing[MISSING_MAX];
	size_t missing_count;
	size_t characters;
};

static int typing_add(struct typing *typing, const struct input_event *events, size_t count)
{
	if (typing->count + count > typing->capacity) {
		size_t capacity = (typing->capacity + count) * 2;
		struct input_event *grown = reallocarray(typing->events, capacity, sizeof(*grown));

		if (!grown) {
			return -ENOMEM;
		}
		typing->events = grown;
		typing->capacity = capacity;
	}
	memcpy(typing->events + typing->count, events, count * sizeof(*events));
	typing->count += count;
	return 0;
}

static void typing_add_missing(struct typing *typing, uint32_t character)
{
	for (size_t i = 0; i < typing->missing_count && i < MISSING_MAX; i++) {
		if (typing->missing[i] == character) {
			return;
		}
	}
	if (typing->missing_count < MISSING_MAX) {
		typing->missing[typing->missing_count] = character;
	}
	typing->missing_count++;
}

/* Keys that are on every layout, for characters that stand for a key rather than a symbol. */
static uint16_t control_key(uint32_t character)
{
	switch (character) {
	case '\n':
	case '\r':
		return KEY_ENTER;
	case '\t':
		return KEY_TAB;
	case '\b':
		return KEY_BACKSPACE;
	case 0x1b:
		return KEY_ESC;
	default:
		return 0;
	}
}

static int typing_add_character(
    struct typing *typing, const struct keymap *keymap, uint32_t character)
{
	struct input_event events[KEYMAP_EVENTS_MAX] = { 0 };
	uint16_t key = control_key(character);
	int count;

	if (key) {
		events[0] = (struct input_event){ .type = INPUT_KEY, .code = key, .value = 1 };
		events[1] = (struct input_event){ .type = INPUT_KEY, .code = key, .value = 0 };
		count = 2;
	} else {
		count = keymap_type_character(keymap, character, events);
	}
	if (count < 0) {
		typing_add_missing(typing, character);
		return 0;
	}
	typing->characters++;
	return typing_add(typing, events, (size_t)count);
}

static int translate(struct typing *typing, const struct keymap *keymap, const char *text)
{
	uint32_t previous = 0;

	for (uint32_t character = font_next_code(&text); character;
	     character = font_next_code(&text)) {
		int error = 0;

		/* CR LF is one line end. */
		if (!(character == '\n' && previous == '\r')) {
			error = typing_add_character(typing, keymap, character);
		}
		if (error) {
			return error;
		}
		previous = character;
	}
	return 0;
}

static int report_missing(
    const struct client *client, const struct typing *typing, const char *layout, bool skip)
{
	char list[MISSING_MAX * 16] = "";

	for (size_t i = 0; i < typing->missing_count && i < MISSING_MAX; i++) {
		size_t used = strlen(list);

		snprintf(list + used, sizeof(list) - used, "%sU+%04X", used ? " " : "",
		    typing->missing[i]);
	}
	client_error(client,
	    skip ? NULL
		 : "Nothing was typed. --layout names another layout, --skip leaves them out.",
	    "layout %s has no key for %s%s%s", layout, list,
	    typing->missing_count > MISSING_MAX ? "..." : "", skip ? " (left out)" : "");
	return skip ? CLIENT_DONE : CLIENT_FAILED;
}

static json_t *batch_parameters(const char *name, const struct input_event *events, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		json_array_append_new(
		    list, json_pack("[iiiii]", (int)events[i].type, (int)events[i].code,
			      (int)events[i].value, (int)events[i].x, (int)events[i].y));
	}
	return json_pack("{s:s, s:o}", "session", name, "events", list);
}

/* Events from `first` on that go out in one call: with a delay one character's, else as many as may be. */
static size_t next_batch(const struct typing *typing, size_t first, unsigned long delay_ms)
{
	size_t left = typing->count - first;
	size_t count = 0;
	int down = 0;

	if (delay_ms == 0) {
		return left < BATCH_EVENTS ? left : BATCH_EVENTS;
	}
	do {
		down += typing->events[first + count].value ? 1 : -1;
		count++;
	} while (down != 0 && count < left && count < BATCH_EVENTS);
	return count;
}

static int send_events(struct client *client, const char *name, const char *what,
    const struct typing *typing, unsigned long delay_ms)
{
	unsigned stalls = 0;
	size_t sent = 0;

	while (sent < typing->count) {
		size_t count = next_batch(typing, sent, delay_ms);
		struct control_reply reply;
		uint64_t accepted;
		int status = client_call_take(client, what, "Input",
		    batch_parameters(name, typing->events + sent, count), -1, &reply);

		if (status != CLIENT_DONE) {
			return status;
		}
		if (answer_number(reply.parameters, "accepted", count, &accepted)) {
			accepted = count + 1;
		}
		control_reply_fini(&reply);
		if (accepted > count) {
			return client_bad_answer(client, what);
		}
		sent += accepted;
		stalls = accepted > 0 ? 0 : stalls + 1;
		if (stalls > STALLS_MAX) {
			client_error(client, "See what it does: tanmatsu screenshot",
			    "%s: the desktop does not read its keyboard", what);
			return CLIENT_FAILED;
		}
		/* Nobody tells when a guest has read its keyboard: so this is fingers' time, not an event's. */
		if (stalls > 0 || (delay_ms > 0 && sent < typing->count)) {
			usleep((useconds_t)(stalls > 0 ? STALL_MS : delay_ms) * 1000);
		}
	}
	return CLIENT_DONE;
}

/* The layout of the guests' keyboards: --layout, what the daemon says, or us. */
static int find_layout(
    struct client *client, const struct arguments *arguments, char *layout, size_t size)
{
	const char *given = arguments_get(arguments, "layout");
	struct answer_info *info;
	struct control_reply reply;
	int status;

	if (given) {
		snprintf(layout, size, "%s", given);
		return CLIENT_DONE;
	}
	status = client_call_take(
	    client, "asking for the keyboard layout", "Info", NULL, -1, &reply);
	if (status != CLIENT_DONE) {
		return status;
	}
	info = calloc(1, sizeof(*info));
	if (!info || answer_info_decode(reply.parameters, info)) {
		status = client_bad_answer(client, "asking for the keyboard layout");
	} else {
		snprintf(layout, size, "%s", info->layout[0] ? info->layout : "us");
	}
	free(info);
	control_reply_fini(&reply);
	return status;
}

static int type_text(
    struct client *client, const struct arguments *arguments, const char *name, const char *text)
{
	bool skip = arguments_get(arguments, "skip") != NULL;
	char layout[ANSWER_NAME_MAX], what[ANSWER_NAME_MAX + 16];
	struct typing typing = { 0 };
	struct keymap *keymap = NULL;
	int status = find_layout(client, arguments, layout, sizeof(layout));
	unsigned long delay_ms = DELAY_MS;
	int error;

	if (status != CLIENT_DONE) {
		return status;
	}
	if (arguments_get_number(client, arguments, "delay", 0, DELAY_MAX_MS, &delay_ms)) {
		return CLIENT_USAGE;
	}
	snprintf(what, sizeof(what), "type %s", name);
	error = keymap_create(layout, &keymap);
	if (!error) {
		error = translate(&typing, keymap, text);
	}
	if (error) {
		client_error(client,
		    error == -ENOENT ? "Layouts are xkb's: us, de, jp, fr, de(nodeadkeys)..."
				     : NULL,
		    "keyboard layout \"%s\": %s", layout,
		    error == -ENOENT ? "there is none of that name" : strerror(-error));
		status = error == -ENOENT ? CLIENT_USAGE : CLIENT_FAILED;
		goto done;
	}
	if (typing.missing_count > 0) {
		status = report_missing(client, &typing, layout, skip);
	}
	if (status == CLIENT_DONE) {
		status = send_events(client, name, what, &typing, delay_ms);
	}
	if (status == CLIENT_DONE && client->json) {
		status = client_print_json_take(client,
		    json_pack("{s:s, s:I, s:I, s:I}", "session", name, "characters",
			(json_int_t)typing.characters, "skipped", (json_int_t)typing.missing_count,
			"events", (json_int_t)typing.count));
	}
done:
	keymap_destroy(keymap);
	free(typing.events);
	return status;
}

int command_type(struct client *client, const struct arguments *arguments)
{
	bool from_stdin = arguments_get(arguments, "stdin") != NULL;
	size_t texts = from_stdin ? 0 : 1;
	const char *session = NULL;
	char name[ANSWER_NAME_MAX];
	char *read = NULL;
	size_t size;
	int status, error;

	if (arguments->positional_count < texts || arguments->positional_count > texts + 1) {
		client_error(client, "A text of several words is one argument: put it in quotes.",
		    "usage: tanmatsu type [SESSION] TEXT, or tanmatsu type [SESSION] --stdin");
		return CLIENT_USAGE;
	}
	if (arguments->positional_count > texts) {
		session = arguments_positional(arguments, 0);
	}
	status = client_pick_session(client, session, name);
	if (status != CLIENT_DONE) {
		return status;
	}
	if (!from_stdin) {
		return type_text(client, arguments, name,
		    arguments_positional(arguments, arguments->positional_count - 1));
	}
	error = fd_read_file(STDIN_FILENO, TEXT_LIMIT, &read, &size);
	if (error) {
		client_error(client, NULL, "standard input: %s", strerror(-error));
		return CLIENT_FAILED;
	}
	status = type_text(client, arguments, name, read);
	free(read);
	return status;
}
