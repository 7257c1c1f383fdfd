/*
 * tanmatsu-vmm: the process that holds one desktop's virtual machine. Started by the monitor with a listening socket as
 * descriptor 3 (vmm/control.h). What must stay true: it is in its sandbox before it reads the first byte from anyone;
 * what cannot be opened from inside is opened before.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "version.h"
#include "vmm/control.h"
#include "vmm/control_server.h"
#include "vmm/vmm_sandbox.h"

static const char usage[] =
    "Usage: tanmatsu-vmm [--uid UID --gid GID]\n"
    "Runs one desktop's virtual machine. Started by tanmatsu-hostd, with a listening\n"
    "SOCK_SEQPACKET socket as descriptor 3; of no use by hand.\n"
    "\n"
    "      --uid UID        user to become (needs root)\n"
    "      --gid GID        group to become (needs root)\n"
    "      --print-sandbox  print the permitted system calls and why, then exit\n"
    "  -h, --help           print this, then exit\n"
    "  -V, --version        print the version, then exit\n";

struct options {
	uid_t uid;
	gid_t gid;
	bool print_sandbox;
};

static bool parse_id(const char *text, unsigned *id)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end != '\0' || value == 0 || value >= UINT32_MAX) {
		fprintf(stderr, "tanmatsu-vmm: not a user or group number above 0: %s\n", text);
		return false;
	}
	*id = (unsigned)value;
	return true;
}

/* False when the process is to exit with `*status`. */
static bool parse_options(int argc, char **argv, struct options *options, int *status)
{
	static const struct option names[] = {
		{ "uid", required_argument, NULL, 'u' },
		{ "gid", required_argument, NULL, 'g' },
		{ "print-sandbox", no_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int option;

	*status = VMM_EXIT_USAGE;
	while ((option = getopt_long(argc, argv, "hV", names, NULL)) != -1) {
		switch (option) {
		case 'u':
			if (!parse_id(optarg, &options->uid)) {
				return false;
			}
			break;
		case 'g':
			if (!parse_id(optarg, &options->gid)) {
				return false;
			}
			break;
		case 'p':
			options->print_sandbox = true;
			break;
		case 'h':
			fputs(usage, stdout);
			*status = 0;
			return false;
		case 'V':
			puts("tanmatsu-vmm " TANMATSU_VERSION);
			*status = 0;
			return false;
		default:
			return false;
		}
	}
	if (optind != argc || (options->uid == 0) != (options->gid == 0)) {
		fputs(usage, stderr);
		return false;
	}
	return true;
}

static bool is_listening_socket(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

/*
 * A page of RAM that should come from a snapshot's layer cannot be read: the disk failed, or the file was cut. There is
 * nothing to go on with; the exit status says what it was.
 */
static void on_bus_error(int signal)
{
	static const char text[] =
	    "tanmatsu-vmm: error: a page of the guest's memory cannot be read from its snapshot\n";

	(void)signal;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(VMM_EXIT_MEMORY);
}

/*
 * The monitor decides when a desktop ends, and suspends it first. A signal that reaches this process because it is sent
 * to all of a group or unit must not cost the desktop.
 */
static void set_signals(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGBUS, on_bus_error);
}

static int enter_sandbox(const struct options *options)
{
	struct sandbox_policy policy = vmm_sandbox_policy(options->uid, options->gid);
	struct sandbox_result result;
	int error = sandbox_enter(&policy, &result);

	if (error) {
		log_error("vmm: entering the sandbox: %s", strerrordesc_np(-error));
		return error;
	}
	log_debug("vmm: sandbox: uid %s, root %s, landlock %s",
	    result.uid_dropped ? "dropped" : "kept", result.root_emptied ? "empty" : "kept",
	    result.landlocked ? "on" : "not there");
	return 0;
}

static int serve(struct control_server_setup *setup, const struct options *options)
{
	struct control_server *server = NULL;
	int error = enter_sandbox(options);

	if (!error) {
		error = control_server_create(setup, &server);
	}
	if (error) {
		return EXIT_FAILURE;
	}
	error = sd_event_loop(setup->event);
	control_server_destroy(server);
	return error < 0 ? EXIT_FAILURE : error;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct control_server_setup setup = {
		.listen_fd = VMM_LISTEN_FD,
		.pagemap_fd = -1,
		.monitor_uid = getuid(),
	};
	int status = EXIT_FAILURE;
	int error;

	if (!parse_options(argc, argv, &options, &status)) {
		return status;
	}
	if (options.print_sandbox) {
		struct sandbox_policy policy = vmm_sandbox_policy(options.uid, options.gid);

		sandbox_print(&policy, STDOUT_FILENO);
		return 0;
	}
	log_init("tanmatsu-vmm");
	if (!is_listening_socket(VMM_LISTEN_FD)) {
		log_error(
		    "vmm: descriptor %d is not a socket: this program is started by tanmatsu-hostd",
		    VMM_LISTEN_FD);
		return VMM_EXIT_USAGE;
	}
	set_signals();
	status = EXIT_FAILURE;
	error = sd_event_default(&setup.event);
	if (error >= 0) {
		error = framebuffer_create(-1, 0, &setup.framebuffer);
	}
	if (error >= 0) {
		setup.pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
		error = setup.pagemap_fd < 0 ? -errno : 0;
	}
	if (error < 0) {
		log_error("vmm: starting: %s", strerrordesc_np(-error));
	} else {
		status = serve(&setup, &options);
	}
	fd_close(&setup.pagemap_fd);
	framebuffer_destroy(setup.framebuffer);
	sd_event_unref(setup.event);
	return status;
}
