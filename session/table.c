/*
 * The table of desktops and viewers. Entries never move, so that pointers stay good; the sessions are also kept in the
 * order of their names and both in the order of their ids, for finding by halves.
 */
#include "session/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct table {
	size_t session_limit, session_count;
	struct session **sessions; /* by user, ascending; each its own allocation */
	size_t viewer_limit, viewer_count;
	struct viewer **viewers; /* by id, ascending */
	uint64_t next_session, next_viewer;
};

int table_create(size_t sessions, size_t viewers, struct table **table)
{
	struct table *created;

	if (!sessions || sessions > TABLE_SESSIONS_MAX || !viewers || viewers > TABLE_VIEWERS_MAX) {
		return -EINVAL;
	}
	created = calloc(1, sizeof(*created));
	if (!created) {
		return -ENOMEM;
	}
	created->session_limit = sessions;
	created->viewer_limit = viewers;
	created->next_session = 1;
	created->next_viewer = 1;
	created->sessions = calloc(sessions, sizeof(struct session *));
	created->viewers = calloc(viewers, sizeof(struct viewer *));
	if (!created->sessions || !created->viewers) {
		table_destroy(created);
		return -ENOMEM;
	}
	*table = created;
	return 0;
}

void table_destroy(struct table *table)
{
	if (!table) {
		return;
	}
	for (size_t i = 0; i < table->session_count; i++) {
		free(table->sessions[i]);
	}
	for (size_t i = 0; i < table->viewer_count; i++) {
		free(table->viewers[i]);
	}
	free(table->sessions);
	free(table->viewers);
	free(table);
}

/* --- sessions ----------------------------------------------------------------------------------------------------- */

/* Where `user` stands or would stand. */
static size_t session_place(const struct table *table, const char *user, bool *found)
{
	size_t low = 0, high = table->session_count;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(table->sessions[middle]->user, user);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

int table_add_session(struct table *table, const char *user, struct session **session)
{
	size_t length = strlen(user);
	struct session *added;
	size_t place;
	bool found;

	if (!length || length >= TABLE_NAME_MAX) {
		return -EINVAL;
	}
	place = session_place(table, user, &found);
	if (found) {
		return -EEXIST;
	}
	if (table->session_count == table->session_limit) {
		return -ENOSPC;
	}
	added = calloc(1, sizeof(*added));
	if (!added) {
		return -ENOMEM;
	}
	added->id = table->next_session++;
	memcpy(added->user, user, length + 1);
	memmove(&table->sessions[place + 1], &table->sessions[place],
	    (table->session_count - place) * sizeof(struct session *));
	table->sessions[place] = added;
	table->session_count++;
	*session = added;
	return 0;
}

struct session *table_find_session(struct table *table, uint64_t id)
{
	for (size_t i = 0; i < table->session_count; i++) {
		if (table->sessions[i]->id == id) {
			return table->sessions[i];
		}
	}
	return NULL;
}

struct session *table_find_user(struct table *table, const char *user)
{
	bool found;
	size_t place = session_place(table, user, &found);

	return found ? table->sessions[place] : NULL;
}

void table_remove_session(struct table *table, uint64_t id)
{
	struct session *session = table_find_session(table, id);
	size_t place;
	bool found;

	if (!session) {
		return;
	}
	for (size_t i = 0; i < table->viewer_count; i++) {
		if (table->viewers[i]->session == id) {
			table->viewers[i]->session = 0;
		}
	}
	place = session_place(table, session->user, &found);
	free(session);
	table->session_count--;
	memmove(&table->sessions[place], &table->sessions[place + 1],
	    (table->session_count - place) * sizeof(struct session *));
}

size_t table_session_count(const struct table *table)
{
	return table->session_count;
}

struct session *table_next_session(struct table *table, const struct session *session)
{
	size_t place = 0;
	bool found;

	if (session) {
		place = session_place(table, session->user, &found) + 1;
	}
	return place < table->session_count ? table->sessions[place] : NULL;
}

/* --- viewers ------------------------------------------------------------------------------------------------------ */

/* Where the viewer of that id stands, or the first above it. */
static size_t viewer_place(const struct table *table, uint64_t id)
{
	size_t low = 0, high = table->viewer_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->viewers[middle]->id < id) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

int table_adopt_viewer(struct table *table, uint64_t id, const char *peer, struct viewer **viewer)
{
	struct viewer *added;
	size_t place;

	if (!id || id == UINT64_MAX) {
		return -EINVAL;
	}
	place = viewer_place(table, id);
	if (place < table->viewer_count && table->viewers[place]->id == id) {
		return -EEXIST;
	}
	if (table->viewer_count == table->viewer_limit) {
		return -ENOSPC;
	}
	added = calloc(1, sizeof(*added));
	if (!added) {
		return -ENOMEM;
	}
	added->id = id;
	snprintf(added->peer, sizeof(added->peer), "%s", peer);
	memmove(&table->viewers[place + 1], &table->viewers[place],
	    (table->viewer_count - place) * sizeof(struct viewer *));
	table->viewers[place] = added;
	table->viewer_count++;
	if (id >= table->next_viewer) {
		table->next_viewer = id + 1;
	}
	*viewer = added;
	return 0;
}

int table_add_viewer(struct table *table, const char *peer, struct viewer **viewer)
{
	return table_adopt_viewer(table, table->next_viewer, peer, viewer);
}

struct viewer *table_find_viewer(struct table *table, uint64_t id)
{
	size_t place = viewer_place(table, id);

	return place < table->viewer_count && table->viewers[place]->id == id
		   ? table->viewers[place]
		   : NULL;
}

void table_remove_viewer(struct table *table, uint64_t id)
{
	size_t place = viewer_place(table, id);

	if (place == table->viewer_count || table->viewers[place]->id != id) {
		return;
	}
	free(table->viewers[place]);
	table->viewer_count--;
	memmove(&table->viewers[place], &table->viewers[place + 1],
	    (table->viewer_count - place) * sizeof(struct viewer *));
}

size_t table_viewer_count(const struct table *table)
{
	return table->viewer_count;
}

size_t table_viewers_connecting(const struct table *table)
{
	size_t count = 0;

	for (size_t i = 0; i < table->viewer_count; i++) {
		count += table->viewers[i]->phase == TABLE_VIEWER_CONNECTED;
	}
	return count;
}

struct viewer *table_next_viewer(struct table *table, uint64_t session, const struct viewer *viewer)
{
	for (size_t i = viewer ? viewer_place(table, viewer->id) + 1 : 0; i < table->viewer_count;
	     i++) {
		if (!session || table->viewers[i]->session == session) {
			return table->viewers[i];
		}
	}
	return NULL;
}
