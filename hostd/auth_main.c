/* tanmatsu-auth: started by tanmatsu-hostd for one login attempt; see auth.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "hostd/auth.h"
#include "version.h"

static const char USAGE[] = "Usage: tanmatsu-auth\n"
			    "Checks one login with PAM. Started by tanmatsu-hostd, not by hand.\n"
			    "\n"
			    "      --print-sandbox  print what it may do, and why\n"
			    "      --help           print this\n"
			    "      --version        print the version\n";

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--print-sandbox") == 0) {
		auth_print_sandbox(STDOUT_FILENO);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		(void)fputs(USAGE, stdout);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)puts("tanmatsu-auth " TANMATSU_VERSION);
		return 0;
	}
	if (argc != 1) {
		(void)fputs(USAGE, stderr);
		return 2;
	}
	log_init("tanmatsu-auth");
	return auth_run();
}
