/* A store with one session; see store_fixture.h. */
#include "store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

const struct store_identity identity = { "Example CPU, flags 0123", "none", "0.1.0", 512, 2 };
struct store *store;
struct store_session *session;
char message[STORE_TEXT_MAX];

int store_setup(void **state)
{
	(void)state;
	scratch_make();
	assert_int_equal(store_open(scratch_path("st/ate"), NULL, NULL, &store, message), 0);
	assert_int_equal(store_session_open(store, "alice", true, &session, message), 0);
	assert_int_equal(store_session_update(session, true, 3), 0);
	return 0;
}

int store_teardown(void **state)
{
	(void)state;
	store_session_close(session);
	store_close(store);
	scratch_remove();
	return 0;
}

void store_reopen(void)
{
	store_session_close(session);
	session = NULL;
	if (store_session_open(store, "alice", false, &session, message)) {
		fail_msg("%s", message);
	}
}

void store_fill(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

void store_save(uint64_t number, uint64_t base, bool complete)
{
	struct store_files files;

	assert_int_equal(store_generation_create(session, number, 0, &files), 0);
	store_fill(files.state, "the state");
	store_fill(files.ram, "the memory");
	store_fill(files.frame, "the frame");
	assert_int_equal(
	    store_generation_commit(session, number, base, complete, &identity, 1795462074000000),
	    0);
}

int store_load(uint64_t number, size_t *layer_count)
{
	struct store_generation generation;
	int state, layers[CATALOGUE_LAYERS_MAX];
	int error = store_generation_open(
	    session, number, &generation, &state, layers, layer_count, message);

	if (!error) {
		close(state);
		for (size_t i = 0; i < *layer_count; i++) {
			close(layers[i]);
		}
	} else {
		assert_int_equal(state, -1);
		assert_int_equal(*layer_count, 0);
	}
	return error;
}

uint64_t store_restorable(void)
{
	return catalogue_restorable(store_session_catalogue(session), NULL);
}

const char *store_path(const char *name)
{
	return scratch_path("st/ate/sessions/alice/%s", name);
}
