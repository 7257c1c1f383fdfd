/* The `tanmatsu` command: nothing but the start of client_run(). */
#include <signal.h>

#include "client/client.h"

int main(int argc, char **argv)
{
	struct client client;

	/* A reader that leaves is an error of fflush(), not a silent death. */
	signal(SIGPIPE, SIG_IGN);
	client_init(&client);
	return client_run(&client, argc, argv);
}
