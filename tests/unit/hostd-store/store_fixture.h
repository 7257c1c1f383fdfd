/*
 * A store in a scratch folder with the session of alice open, for tests that need no failing disk. Test only: the
 * variables are one test program's, and what goes wrong here ends the test.
 */
#pragma once

#include "hostd/store.h"

extern const struct store_identity identity;
extern struct store *store;
extern struct store_session *session;
extern char message[STORE_TEXT_MAX]; /* of the last call */

int store_setup(void **state);
int store_teardown(void **state);
/* Reads the session's folder anew. */
void store_reopen(void);
/* Writes and closes. */
void store_fill(int fd, const char *text);
/* A whole generation with 9 bytes of state, 10 of memory, 9 of frame. */
void store_save(uint64_t number, uint64_t base, bool complete);
/* Opens a generation and closes it again: store_generation_open()'s result. */
int store_load(uint64_t number, size_t *layer_count);
uint64_t store_restorable(void);
/* A path in the session's folder. */
const char *store_path(const char *name);
