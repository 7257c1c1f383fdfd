/*
 * tanmatsu-display: the process of one viewer. Started by the monitor with a listening socket as descriptor 3
 * (display/control.h). What must stay true: everything that needs files happens before the sandbox, and the sandbox before
 * the first byte of the viewer.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/log.h"
#include "display/control.h"
#include "display/display_sandbox.h"
#include "display/rfb_io.h"
#include "display/tls.h"
#include "display/viewer.h"
#include "version.h"

enum {
	EXIT_USAGE = 2,
};

static const char usage[] =
    "Usage: tanmatsu-display [--uid UID --gid GID]\n"
    "Serves one VNC viewer. Started by tanmatsu-hostd, with a listening\n"
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

static bool parse_id(const char *text, unsigned int *id)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end != '\0' || value == 0 || value >= UINT32_MAX) {
		fprintf(stderr, "tanmatsu-display: not a user or group number above 0: %s\n", text);
		return false;
	}
	*id = (unsigned int)value;
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

	*status = EXIT_USAGE;
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
			puts("tanmatsu-display " TANMATSU_VERSION);
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

static bool is_socket(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

/* The monitor decides when a viewer is closed; a signal sent to a whole group or unit is not meant for this process. */
static void ignore_signals(void)
{
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
}

static int serve(const struct sandbox_policy *policy)
{
	struct viewer_setup setup = {
		.listen_fd = DISPLAY_LISTEN_FD,
		.monitor_uid = getuid(),
		.policy = policy,
	};
	struct viewer *viewer = NULL;
	int status = DISPLAY_EXIT_ERROR;
	int error;

	error = sd_event_default(&setup.event);
	if (error >= 0) {
		error = viewer_create(&setup, &viewer);
	}
	if (error >= 0) {
		error = sd_event_loop(setup.event);
		status = viewer_exit_status(viewer);
	}
	if (error < 0) {
		log_error("display: %s", strerror(-error));
		status = DISPLAY_EXIT_ERROR;
	}
	viewer_destroy(viewer);
	sd_event_unref(setup.event);
	return status;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct sandbox_policy policy;
	int status;

	if (!parse_options(argc, argv, &options, &status)) {
		return status;
	}
	policy = display_sandbox_policy(options.uid, options.gid);
	if (options.print_sandbox) {
		sandbox_print(&policy, STDOUT_FILENO);
		return 0;
	}
	log_init("tanmatsu-display");
	if (!is_socket(DISPLAY_LISTEN_FD)) {
		log_error("display: descriptor %d is not a socket: this program is started by "
			  "tanmatsu-hostd",
		    DISPLAY_LISTEN_FD);
		return EXIT_USAGE;
	}
	if (!rfb_io_is_effective()) {
		log_error("display: libvncserver's functions could not be replaced; it was built "
			  "in a way that this "
			  "program does not support");
		return DISPLAY_EXIT_ERROR;
	}
	ignore_signals();
	if (tls_global_init() != 0) {
		return DISPLAY_EXIT_ERROR;
	}
	return serve(&policy);
}
