/* The table of desktops and viewers: order, bounds, ids. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "session/table.h"

static void test_sessions(void **state)
{
	static const char *const users[] = { "mia", "bob", "zoe", "alice" };
	static const char *const sorted[] = { "alice", "bob", "mia", "zoe" };
	struct session *session, *mia = NULL;
	struct table *table;
	char longest[TABLE_NAME_MAX + 1];
	size_t count = 0;

	(void)state;
	assert_int_equal(table_create(4, 4, &table), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(table_add_session(table, users[i], &session), 0);
		assert_int_equal(session->id, i + 1);
		assert_string_equal(session->user, users[i]);
		mia = i == 0 ? session : mia;
	}
	assert_int_equal(table_add_session(table, "bob", &session), -EEXIST);
	assert_int_equal(table_add_session(table, "fifth", &session), -ENOSPC);
	assert_int_equal(table_add_session(table, "", &session), -EINVAL);
	memset(longest, 'x', sizeof(longest));
	longest[TABLE_NAME_MAX] = '\0';
	assert_int_equal(table_add_session(table, longest, &session), -EINVAL);
	session = NULL;
	while ((session = table_next_session(table, session))) {
		assert_string_equal(session->user, sorted[count++]);
	}
	assert_int_equal(count, 4);
	assert_ptr_equal(table_find_user(table, "mia"), mia); /* it has not moved */
	assert_ptr_equal(table_find_session(table, 1), mia);
	assert_null(table_find_user(table, "mi"));
	table_remove_session(table, 2);
	table_remove_session(table, 2);
	assert_null(table_find_user(table, "bob"));
	assert_int_equal(table_session_count(table), 3);
	/* Ids are not used again. */
	assert_int_equal(table_add_session(table, "bob", &session), 0);
	assert_int_equal(session->id, 5);
	longest[TABLE_NAME_MAX - 1] = '\0';
	table_remove_session(table, 5);
	assert_int_equal(table_add_session(table, longest, &session), 0);
	table_destroy(table);
	table_destroy(NULL);
}

static void test_viewers(void **state)
{
	struct session *session;
	struct viewer *viewer, *adopted;
	struct table *table;
	char peer[200];
	size_t count = 0;

	(void)state;
	assert_int_equal(table_create(2, 5, &table), 0);
	assert_int_equal(table_add_session(table, "alice", &session), 0);
	assert_int_equal(table_adopt_viewer(table, 40, "192.0.2.1", &adopted), 0);
	assert_int_equal(table_adopt_viewer(table, 40, "192.0.2.1", &viewer), -EEXIST);
	assert_int_equal(table_adopt_viewer(table, 0, "192.0.2.1", &viewer), -EINVAL);
	assert_int_equal(table_adopt_viewer(table, UINT64_MAX, "192.0.2.1", &viewer), -EINVAL);
	assert_int_equal(table_adopt_viewer(table, 12, "unix", &viewer), 0);
	assert_int_equal(table_add_viewer(table, "192.0.2.2", &viewer), 0);
	assert_int_equal(viewer->id, 41);
	viewer->phase = TABLE_VIEWER_SESSION;
	viewer->session = session->id;
	adopted->session = session->id;
	memset(peer, 'p', sizeof(peer));
	peer[sizeof(peer) - 1] = '\0';
	assert_int_equal(table_add_viewer(table, peer, &viewer), 0);
	assert_int_equal(strlen(viewer->peer), TABLE_PEER_MAX - 1);
	assert_int_equal(table_add_viewer(table, "x", &viewer), 0);
	assert_int_equal(table_add_viewer(table, "x", &viewer), -ENOSPC);
	assert_int_equal(table_viewer_count(table), 5);
	assert_int_equal(table_viewers_connecting(table), 4);
	viewer = NULL;
	while ((viewer = table_next_viewer(table, session->id, viewer))) {
		assert_int_equal(viewer->id, 40 + count++);
	}
	assert_int_equal(count, 2);
	/* The first of all, whatever its session. */
	viewer = table_next_viewer(table, 0, NULL);
	assert_int_equal(viewer->id, 12);
	table_remove_session(table, session->id);
	assert_int_equal(adopted->session, 0);
	assert_ptr_equal(table_find_viewer(table, 40), adopted);
	table_remove_viewer(table, 40);
	table_remove_viewer(table, 40);
	assert_null(table_find_viewer(table, 40));
	assert_int_equal(table_viewer_count(table), 4);
	table_destroy(table);
}

static void test_bounds(void **state)
{
	struct table *table;

	(void)state;
	assert_int_equal(table_create(0, 1, &table), -EINVAL);
	assert_int_equal(table_create(1, 0, &table), -EINVAL);
	assert_int_equal(table_create(TABLE_SESSIONS_MAX + 1, 1, &table), -EINVAL);
	assert_int_equal(table_create(1, TABLE_VIEWERS_MAX + 1, &table), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_viewers),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
