/* User names: which are valid, and the system's database, which has root and nobody everywhere. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hostd/users.h"

static void test_valid_names(void **state)
{
	static const char *const good[] = { "a", "alice", "_apt", "Alice", "0day", "alice.b", "a-b",
		"host$", "alice@example.org", "a+b",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	static const char *const bad[] = { "", ".", "..", ".hidden", "-rf", "a/b", "/", "a b",
		"a\tb", "a\nb", "a\\b", "a\"b", "a'b", "a;b", "a:b", "a*", "~", "a%b", "\x1b[0m",
		"m\xc3\xbcller", "\xff", "$a", "@a",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(users_name_valid(good[i]));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct users_entry entry;

		assert_false(users_name_valid(bad[i]));
		assert_int_equal(users_find_name(bad[i], &entry), -EINVAL);
	}
	/* Every byte that is not listed is refused, in any place. */
	for (int byte = 1; byte < 256; byte++) {
		char name[3] = { 'a', (char)byte, '\0' };
		bool listed = strchr(
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.@+-$", byte);

		assert_int_equal(users_name_valid(name), listed);
	}
}

static void test_database(void **state)
{
	struct users_entry entry, again;
	char name[USERS_NAME_MAX];

	(void)state;
	assert_int_equal(users_find_name("root", &entry), 0);
	assert_int_equal(entry.uid, 0);
	assert_string_equal(entry.name, "root");
	assert_int_equal(entry.home[0], '/');
	assert_int_equal(users_find_uid(0, &again), 0);
	assert_memory_equal(&entry, &again, sizeof(entry));
	assert_int_equal(users_find_name("nobody-has-this-name", &entry), -ENOENT);
	assert_int_equal(users_find_uid(0x7ffffff0, &entry), -ENOENT);
	assert_int_equal(users_normalise("root", name), 0);
	assert_string_equal(name, "root");
	assert_int_equal(users_normalise("nobody-has-this-name", name), -ENOENT);
	assert_int_equal(users_normalise("../root", name), -EINVAL);
}

static void test_groups(void **state)
{
	struct users_entry root, nobody;
	bool member = false, admin = false;

	(void)state;
	assert_int_equal(users_find_name("root", &root), 0);
	assert_int_equal(users_find_name("nobody", &nobody), 0);
	assert_int_equal(users_in_group(&root, "root", &member), 0); /* its primary group */
	assert_true(member);
	assert_int_equal(users_in_group(&nobody, "root", &member), 0);
	assert_false(member);
	assert_int_equal(users_in_group(&root, "no-such-group", &member), 0);
	assert_false(member);
	assert_int_equal(users_is_admin(0, NULL, &admin), 0);
	assert_true(admin);
	assert_int_equal(users_is_admin(nobody.uid, "", &admin), 0);
	assert_false(admin);
	assert_int_equal(users_is_admin(nobody.uid, "no-such-group", &admin), 0);
	assert_false(admin);
	assert_int_equal(users_is_admin(nobody.uid, "nogroup", &admin), 0);
	assert_true(admin);
	assert_int_equal(
	    users_is_admin(0x7ffffff0, "nogroup", &admin), 0); /* a uid without a name */
	assert_false(admin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid_names),
		cmocka_unit_test(test_database),
		cmocka_unit_test(test_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
