/* Who may do what, as one table: every role with every question. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "session/grant.h"

static struct grant_object desktop(void)
{
	return (struct grant_object){
		.owner = "alice",
		.helpers = { { "vera", GRANT_HELP_VIEW }, { "henry", GRANT_HELP_STEER } },
		.helper_count = 2,
	};
}

struct row {
	const char *user;
	bool admin;
	enum grant_role role;
	bool list, see, steer, manage, logs, takes_over;
};

static const struct row table[] = {
	{ "alice", false, GRANT_ROLE_OWNER, true, true, true, true, true, true },
	{ "alice", true, GRANT_ROLE_OWNER, true, true, true, true, true, true },
	{ "root", true, GRANT_ROLE_ADMIN, true, true, true, true, true, false },
	{ "", true, GRANT_ROLE_ADMIN, true, true, true, true, true, false },
	{ "henry", false, GRANT_ROLE_HELPER, true, true, true, false, false, false },
	{ "henry", true, GRANT_ROLE_ADMIN, true, true, true, true, true, false },
	{ "vera", false, GRANT_ROLE_VIEWER, true, true, false, false, false, false },
	{ "bob", false, GRANT_ROLE_NONE, false, false, false, false, false, false },
	{ "root", false, GRANT_ROLE_NONE, false, false, false, false, false, false },
	{ "", false, GRANT_ROLE_NONE, false, false, false, false, false, false },
	{ "alic", false, GRANT_ROLE_NONE, false, false, false, false, false, false },
	{ "alicea", false, GRANT_ROLE_NONE, false, false, false, false, false, false },
	{ "Alice", false, GRANT_ROLE_NONE, false, false, false, false, false, false },
};

static void test_table(void **state)
{
	struct grant_object object = desktop();

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct row *row = &table[i];
		struct grant_subject subject = { .admin = row->admin };

		strcpy(subject.user, row->user);
		assert_int_equal(grant_role(&subject, &object), row->role);
		assert_int_equal(grant_may_list(&subject, &object), row->list);
		assert_int_equal(grant_may_see(&subject, &object), row->see);
		assert_int_equal(grant_may_steer(&subject, &object), row->steer);
		assert_int_equal(grant_may_manage(&subject, &object), row->manage);
		assert_int_equal(grant_may_read_logs(&subject, &object), row->logs);
		assert_int_equal(grant_takes_over(&subject, &object), row->takes_over);
		assert_int_equal(grant_may_see_host(&subject), row->admin);
	}
}

/* Nobody owns a desktop without an owner, and an empty helper entry helps nobody. */
static void test_empty_names(void **state)
{
	struct grant_object object = { .helper_count = 1, .helpers = { { "", GRANT_HELP_STEER } } };
	struct grant_subject nobody = { .user = "" }, somebody = { .user = "bob" };

	(void)state;
	assert_int_equal(grant_role(&nobody, &object), GRANT_ROLE_NONE);
	assert_int_equal(grant_role(&somebody, &object), GRANT_ROLE_NONE);
	strcpy(object.owner, "alice");
	assert_int_equal(grant_role(&nobody, &object), GRANT_ROLE_NONE);
	/* A count that is too large reads nothing beyond the array. */
	object.helper_count = 1000;
	assert_int_equal(grant_role(&somebody, &object), GRANT_ROLE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_empty_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
