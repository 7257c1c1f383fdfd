/*
 * tanmatsu-hostd: the daemon. Without --broker it is the monitor, which starts itself again as the broker. Options only;
 * everything else is in the configuration.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "hostd/broker.h"
#include "hostd/config.h"
#include "hostd/monitor.h"
#include "version.h"

enum {
	EXIT_USAGE = 2,
};

static const char USAGE[] =
    "Usage: tanmatsu-hostd [OPTION]...\n"
    "Serves desktops to VNC viewers, a virtual machine for each user.\n"
    "\n"
    "      --config FILE    read this configuration instead of the default one\n"
    "      --check-config   check the configuration, print it complete, and exit\n"
    "      --foreground     stay in the foreground (it always does; for clarity in scripts)\n"
    "      --libexec DIR    where tanmatsu-vmm, tanmatsu-display and tanmatsu-auth are\n"
    "                       (also TANMATSU_LIBEXEC; default " TANMATSU_LIBEXECDIR ")\n"
    "      --ready-fd N     write \"ready\" and a line feed to descriptor N once it serves\n"
    "      --print-sandbox  print what the broker may do once it has started, and why\n"
    "      --help           print this\n"
    "      --version        print the version\n"
    "\n"
    "SIGTERM suspends all desktops and ends; SIGUSR2 ends at once and leaves them running for the "
    "next daemon;\n"
    "SIGHUP reads the configuration again.\n";

enum option_value {
	OPTION_CONFIG = 256,
	OPTION_CHECK,
	OPTION_FOREGROUND,
	OPTION_LIBEXEC,
	OPTION_READY_FD,
	OPTION_PRINT_SANDBOX,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_BROKER,
	OPTION_UID,
};

static const struct option OPTIONS[] = {
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "check-config", no_argument, NULL, OPTION_CHECK },
	{ "foreground", no_argument, NULL, OPTION_FOREGROUND },
	{ "libexec", required_argument, NULL, OPTION_LIBEXEC },
	{ "ready-fd", required_argument, NULL, OPTION_READY_FD },
	{ "print-sandbox", no_argument, NULL, OPTION_PRINT_SANDBOX },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "broker", no_argument, NULL, OPTION_BROKER }, /* how the monitor starts the broker */
	{ "uid", required_argument, NULL, OPTION_UID }, /* of the broker */
	{ NULL, 0, NULL, 0 },
};

struct command_line {
	struct monitor_options monitor;
	bool check;
	bool broker;
	uint32_t uid;
};

static bool parse_number(
    const char *text, unsigned long low, unsigned long high, unsigned long *number)
{
	char *end = NULL;

	errno = 0;
	*number = strtoul(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && text[0] != '-' && *number >= low &&
	       *number <= high;
}

/* Returns -1 to go on, else the exit code. */
static int parse(int argc, char **argv, struct command_line *line)
{
	unsigned long number = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
		switch (option) {
		case OPTION_CONFIG:
			line->monitor.config_path = optarg;
			break;
		case OPTION_CHECK:
			line->check = true;
			break;
		case OPTION_FOREGROUND:
			break;
		case OPTION_LIBEXEC:
			line->monitor.libexec = optarg;
			break;
		case OPTION_READY_FD:
			if (!parse_number(optarg, 3, 1023, &number)) {
				(void)fprintf(stderr,
				    "tanmatsu-hostd: --ready-fd: %s: a descriptor from 3 to 1023\n",
				    optarg);
				return EXIT_USAGE;
			}
			line->monitor.ready_fd = (int)number;
			break;
		case OPTION_PRINT_SANDBOX:
			broker_print_sandbox(STDOUT_FILENO);
			return 0;
		case OPTION_HELP:
			(void)fputs(USAGE, stdout);
			return 0;
		case OPTION_VERSION:
			(void)puts("tanmatsu-hostd " TANMATSU_VERSION);
			return 0;
		case OPTION_BROKER:
			line->broker = true;
			break;
		case OPTION_UID:
			if (!parse_number(optarg, 1, UINT32_MAX - 1, &number)) {
				return EXIT_USAGE;
			}
			line->uid = (uint32_t)number;
			break;
		default:
			(void)fputs("tanmatsu-hostd --help says more\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		(void)fprintf(
		    stderr, "tanmatsu-hostd: %s: no arguments, options only\n", argv[optind]);
		return EXIT_USAGE;
	}
	return -1;
}

static int check_config(const char *path)
{
	struct config_report report = { 0 };
	struct config *config = NULL;
	int error = config_load(
	    path, geteuid() == 0 ? CONFIG_MODE_SYSTEM : CONFIG_MODE_USER, &config, &report);

	if (report.text != NULL) {
		(void)fputs(report.text, stderr);
	}
	config_report_fini(&report);
	if (error) {
		return 1;
	}
	config_print(config, stdout);
	config_destroy(config);
	return 0;
}

int main(int argc, char **argv)
{
	struct command_line line = { .monitor = { .ready_fd = -1 } };
	const char *libexec = getenv("TANMATSU_LIBEXEC");
	int code;

	line.monitor.libexec = libexec != NULL && libexec[0] != '\0' ? libexec
								     : TANMATSU_LIBEXECDIR;
	code = parse(argc, argv, &line);
	if (code >= 0) {
		return code;
	}
	if (strlen(line.monitor.libexec) >= MONITOR_LIBEXEC_MAX) {
		(void)fputs("tanmatsu-hostd: --libexec: the path is too long\n", stderr);
		return EXIT_USAGE;
	}
	if (line.check) {
		return check_config(line.monitor.config_path);
	}
	log_init(line.broker ? "tanmatsu-broker" : "tanmatsu-hostd");
	return line.broker ? broker_run(line.uid) : monitor_run(&line.monitor);
}
