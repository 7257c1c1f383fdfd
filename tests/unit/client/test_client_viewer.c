/*
 * `tanmatsu attach` and `tanmatsu connect` with a viewer and an ssh of the test's own: this very program, started again
 * with TANMATSU_TEST_STUB set, plays both.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/client.h"
#include "client/viewer.h"
#include "fake_server.h"
#include "run.h"

enum {
	BROKEN_HOST = 255,
};

static char own_program[4096];

/* ---- what runs in the stubs */

static int stub_socket(const char *path, bool listening)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (listening ? bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 4)
		      : connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		exit(9);
	}
	return fd;
}

/* A viewer: connects to the socket, its last argument, says hello, waits for an answer, ends well if it is "bye". */
static int viewer_main(int argc, char **argv)
{
	char text[64] = "";
	int fd;

	if (strcmp(getenv("TANMATSU_TEST_STUB"), "no-viewer") == 0) {
		return 5;
	}
	fd = stub_socket(argv[argc - 1], false);
	if (strcmp(getenv("TANMATSU_TEST_STUB"), "attach") != 0) {
		if (recv(fd, text, 12, MSG_WAITALL) != 12 ||
		    memcmp(text, "RFB 003.008\n", 12) != 0) {
			return 6;
		}
		if (strcmp(getenv("TANMATSU_TEST_STUB"), "lost-quietly") == 0) {
			return (int)read(fd, text, sizeof(text)); /* until the end, as TigerVNC */
		}
		return strcmp(getenv("TANMATSU_TEST_STUB"), "lost") == 0 ? (pause(), 8) : 0;
	}
	if (write(fd, "hello", 5) != 5 || read(fd, text, sizeof(text) - 1) <= 0) {
		return 7;
	}
	return strcmp(text, "bye") == 0 ? 0 : 8;
}

/* ssh: listens where -L says, and greets everyone as an RFB server, or not, as TANMATSU_TEST_STUB has it. */
static int ssh_main(int argc, char **argv)
{
	const char *mode = getenv("TANMATSU_TEST_STUB");
	char path[256] = "";
	int listener;

	for (int i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], "-L") == 0) {
			snprintf(path, sizeof(path), "%.*s", (int)strcspn(argv[i + 1], ":"),
			    argv[i + 1]);
			if (strcmp(argv[i + 1] + strlen(path), ":/remote/rfb.sock") != 0) {
				return 3;
			}
		}
	}
	if (strcmp(argv[argc - 1], "carol@host.example") != 0 ||
	    strcmp(argv[argc - 2], "--") != 0 || !path[0]) {
		return 4;
	}
	if (strcmp(mode, "refused") == 0) {
		return BROKEN_HOST;
	}
	listener = stub_socket(path, true);
	for (unsigned count = 1;; count++) {
		int peer = accept(listener, NULL, NULL);

		if (strcmp(mode, "nothing-there") != 0 && write(peer, "RFB 003.008\n", 12) != 12) {
			return 1;
		}
		if (strcmp(mode, "nothing-there") == 0) {
			close(peer);
		}
		if (strcmp(mode, "lost") == 0 && count == 2) {
			return BROKEN_HOST;
		}
		if (strcmp(mode, "lost-quietly") == 0 && count == 2) {
			close(peer);
			usleep(50 * 1000); /* the viewer ends first */
			return BROKEN_HOST;
		}
	}
}

/* ---- the tests */

static void stub_mode(const char *mode)
{
	setenv("TANMATSU_TEST_STUB", mode, 1);
}

/* Folders of ours in the runtime folder: each command leaves none behind. */
static unsigned count_folders(const char *runtime)
{
	struct dirent *entry;
	unsigned count = 0;
	DIR *dir = opendir(runtime);

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		count += strncmp(entry->d_name, "tanmatsu-", 9) == 0;
	}
	closedir(dir);
	return count;
}

static const struct fake_answer attach_script[] = {
	{ .method = "Status", .text = "{\"parameters\":{\"session\":{\"session\":\"alice\"}}}" },
	{ .method = "Attach", .text = "{\"parameters\":{\"viewer\":1}}" },
};

/* The daemon's side of an attached viewer, on a thread: the command waits for its viewer meanwhile. */
static void *serve_viewer(void *context)
{
	struct fake_server *server = context;
	char text[16] = "";
	int viewer;

	while ((viewer = fake_server_take_fd(server)) < 0) {
		usleep(1000);
	}
	if (read(viewer, text, sizeof(text)) == 5 && strcmp(text, "hello") == 0 &&
	    write(viewer, "bye", 3) != 3) {
		abort();
	}
	close(viewer);
	return NULL;
}

static void test_attach(void **state)
{
	struct fake_server *server = fake_server_start(attach_script, 2);
	char viewer[4200];
	pthread_t thread;
	struct run result;

	stub_mode("attach");
	snprintf(viewer, sizeof(viewer), "%s -an-option", own_program);
	assert_int_equal(pthread_create(&thread, NULL, serve_viewer, server), 0);
	result = RUN(server, "attach", "alice", "--run", "--viewer", viewer);
	pthread_join(thread, NULL);
	if (result.status != CLIENT_DONE) {
		fail_msg("%s", result.err);
	}
	assert_non_null(strstr(fake_server_call(server, 1), "Attach"));
	assert_int_equal(count_folders(*state), 0);
	run_free(&result);
	fake_server_stop(server);
}

static void test_attach_errors(void **state)
{
	const struct fake_answer missing[] = { { .method = "Status",
	    .text = "{\"error\":\"org.tanmatsu.NotFound\"}" } };
	const struct fake_answer denied[] = {
		{ .method = "Status",
		    .text = "{\"parameters\":{\"session\":{\"session\":\"alice\"}}}" },
		{ .method = "Attach", .text = "{\"error\":\"org.tanmatsu.Denied\"}" },
	};
	struct fake_server *server = fake_server_start(missing, 1);
	struct run result = RUN(server, "attach", "alice", "--run", "--viewer", own_program);

	assert_int_equal(result.status, CLIENT_NOT_FOUND);
	run_free(&result);
	fake_server_stop(server);

	stub_mode("attach");
	server = fake_server_start(denied, 2);
	result = RUN(server, "attach", "alice", "--run", "--viewer", own_program);
	assert_int_equal(result.status, CLIENT_DENIED);
	run_free(&result);
	result = RUN(server, "attach", "alice", "--run", "--viewer", "/nowhere/viewer");
	assert_int_equal(result.status, CLIENT_FAILED);
	assert_non_null(strstr(result.err, "apt install tigervnc-viewer"));
	run_free(&result);
	stub_mode("no-viewer");
	result = RUN(server, "attach", "alice", "--run", "--viewer", own_program);
	assert_int_equal(result.status, CLIENT_FAILED);
	assert_non_null(strstr(result.err, "ended before it connected"));
	run_free(&result);
	fake_server_stop(server);
	assert_int_equal(count_folders(*state), 0);
}

static struct run connect_with(const char *mode)
{
	stub_mode(mode);
	return RUN(NULL, "connect", "carol@host.example", "--ssh", own_program, "--viewer",
	    own_program, "--remote-socket", "/remote/rfb.sock", "--ssh-option=-o",
	    "--ssh-option=BatchMode=yes", "-p", "2222");
}

static void test_connect(void **state)
{
	struct run result = connect_with("good");

	if (result.status != CLIENT_DONE) {
		fail_msg("%s", result.err);
	}
	assert_int_equal(count_folders(*state), 0);
	run_free(&result);
}

static void test_connect_errors(void **state)
{
	static const struct {
		const char *mode;
		const char *told;
	} cases[] = {
		{ "refused", "ssh to carol@host.example failed (exit status 255)" },
		{ "nothing-there",
		    "no Tanmatsu answers at /remote/rfb.sock on carol@host.example" },
		{ "lost", "the connection to carol@host.example was lost" },
		{ "lost-quietly", "the connection to carol@host.example was lost" },
	};
	struct run result;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		result = connect_with(cases[i].mode);
		if (result.status != CLIENT_FAILED || !strstr(result.err, cases[i].told)) {
			fail_msg("%s: %d %s", cases[i].mode, result.status, result.err);
		}
		run_free(&result);
	}
	result = RUN(NULL, "connect", "h", "--ssh", "/nowhere/ssh", "--viewer", own_program);
	assert_int_equal(result.status, CLIENT_FAILED);
	assert_non_null(strstr(result.err, "apt install openssh-client"));
	run_free(&result);
	assert_int_equal(count_folders(*state), 0);
}

static void test_finding_viewers(void **state)
{
	char command[VIEWER_COMMAND_MAX], *path = strdup(getenv("PATH"));
	const char *arguments[VIEWER_ARGUMENTS_MAX];
	char folder[] = "/tmp/tanmatsu-test-XXXXXX", program[64];
	char split[] = "viewer  -a -b=c ", many[200], none[] = "  ";

	(void)state;
	unsetenv("TANMATSU_VIEWER");
	assert_non_null(mkdtemp(folder));
	setenv("PATH", folder, 1);
	assert_int_equal(viewer_find(NULL, command, sizeof(command)), -ENOENT);
	snprintf(program, sizeof(program), "%s/vncviewer", folder);
	assert_int_equal(symlink("/bin/true", program), 0);
	assert_int_equal(viewer_find(NULL, command, sizeof(command)), 0);
	assert_string_equal(command, "vncviewer");
	setenv("TANMATSU_VIEWER", "mine", 1);
	assert_int_equal(viewer_find(NULL, command, sizeof(command)), 0);
	assert_string_equal(command, "mine");
	assert_int_equal(viewer_find("given", command, sizeof(command)), 0);
	assert_string_equal(command, "given");
	unsetenv("TANMATSU_VIEWER");
	setenv("PATH", path, 1);
	free(path);
	unlink(program);
	rmdir(folder);

	assert_int_equal(viewer_split(split, "/s", arguments), 0);
	assert_string_equal(arguments[0], "viewer");
	assert_string_equal(arguments[2], "-b=c");
	assert_string_equal(arguments[3], "/s");
	assert_null(arguments[4]);
	for (size_t i = 0; i + 1 < sizeof(many); i++) {
		many[i] = i % 2 ? ' ' : 'x';
	}
	many[sizeof(many) - 1] = 0;
	assert_int_equal(viewer_split(many, "/s", arguments), -E2BIG);
	assert_int_equal(viewer_split(none, "/s", arguments), -ENOENT);
}

static int setup(void **state)
{
	static char runtime[] = "/tmp/tanmatsu-test-XXXXXX";

	assert_non_null(mkdtemp(runtime));
	setenv("XDG_RUNTIME_DIR", runtime, 1);
	*state = runtime;
	return 0;
}

static int teardown(void **state)
{
	return rmdir(*state);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attach),
		cmocka_unit_test(test_attach_errors),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_connect_errors),
		cmocka_unit_test(test_finding_viewers),
	};

	if (getenv("TANMATSU_TEST_STUB")) {
		bool ssh = argc > 1 && strcmp(argv[1], "-N") == 0;

		return ssh ? ssh_main(argc, argv) : viewer_main(argc, argv);
	}
	assert_true(readlink("/proc/self/exe", own_program, sizeof(own_program) - 1) > 0);
	return cmocka_run_group_tests(tests, setup, teardown);
}
