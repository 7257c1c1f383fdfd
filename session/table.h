/*
 * All desktops and all viewers of this host, by id and by name: two bounded arrays and nothing
 * else. Pure; the broker's loop thread.
 *
 * What must stay true: ids are never used again in the life of the table; a user has at most one
 * session; pointers stay good until that entry is removed; other objects keep ids, not pointers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "session/grant.h"
#include "session/machine.h"

enum {
	TABLE_SESSIONS_MAX = 65536, /* upper bounds of what table_create() accepts */
	TABLE_VIEWERS_MAX = 65536,
	TABLE_NAME_MAX = GRANT_NAME_MAX,
	TABLE_PEER_MAX = 64,
};

struct table;

/* A desktop. `id` and `user` are the table's; the rest is the broker's. */
struct session {
	uint64_t id;
	char user[TABLE_NAME_MAX]; /* the session's name too */
	struct grant_object grant;
	struct machine machine;
	uint32_t pid;            /* of the VMM, 0 without */
	uint64_t snapshot_bytes; /* of the newest generation */
	uint64_t since_us;       /* UTC: when the state began */
	void *context;           /* the broker's own; never followed here */
};

enum table_viewer_phase {
	TABLE_VIEWER_CONNECTED = 0, /* handshake and login */
	TABLE_VIEWER_SESSION = 1,   /* logged in */
	TABLE_VIEWER_CLOSING = 2,   /* told to leave, its process has not ended yet */
};

struct viewer {
	uint64_t id;
	enum table_viewer_phase phase;
	char peer[TABLE_PEER_MAX];
	char user[TABLE_NAME_MAX]; /* once logged in */
	uint64_t session;          /* id, 0: none */
	uint32_t pid;              /* of its display process */
	uint64_t since_us;         /* UTC: connected */
	void *context;
};

/* Room for that many. 0, -EINVAL, -ENOMEM. */
must_check int table_create(size_t sessions, size_t viewers, struct table **table);
void table_destroy(struct table *table);

/* A new session, zeroed but for id and user. 0; -EEXIST when the user has one; -ENOSPC; -EINVAL for
 * an empty or too long name. */
must_check int table_add_session(struct table *table, const char *user, struct session **session);
struct session *table_find_session(struct table *table, uint64_t id);
struct session *table_find_user(struct table *table, const char *user);
/* Its viewers stay, with session 0. */
void table_remove_session(struct table *table, uint64_t id);
size_t table_session_count(const struct table *table);
/* The next session after `session` (NULL: the first) in the order of names; NULL at the end. For
 * `tanmatsu list`. */
struct session *table_next_session(struct table *table, const struct session *session);

/* A new viewer, zeroed but for id and peer (cut to fit). 0 or -ENOSPC. */
must_check int table_add_viewer(struct table *table, const char *peer, struct viewer **viewer);
/* One with an id it had before, when the daemon finds it again; later ids are above it. 0, -EEXIST,
 * -ENOSPC, -EINVAL. */
must_check int table_adopt_viewer(
    struct table *table, uint64_t id, const char *peer, struct viewer **viewer);
struct viewer *table_find_viewer(struct table *table, uint64_t id);
void table_remove_viewer(struct table *table, uint64_t id);
size_t table_viewer_count(const struct table *table);
/* Viewers that have not logged in yet: what the startup limit counts. */
size_t table_viewers_connecting(const struct table *table);
/* The next viewer after `viewer` (NULL: the first) of session `session` (0: of any), by id; NULL at
 * the end. */
struct viewer *table_next_viewer(
    struct table *table, uint64_t session, const struct viewer *viewer);
