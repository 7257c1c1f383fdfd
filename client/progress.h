/*
 * A progress bar on the terminal behind standard error, one line that is drawn over and gone at the end. Does nothing
 * where there is no terminal.
 */
#pragma once

struct client;

/* Draws the bar. `percent` is 0 to 100 (above counts as 100), `what` and `message` are cleaned. */
void progress_show(
    const struct client *client, const char *what, unsigned percent, const char *message);
void progress_clear(const struct client *client);
