/* The functions behind the table of commands (arguments.h); each returns an exit status (enum client_exit). */
#pragma once

struct arguments;
struct client;

int command_list(struct client *client, const struct arguments *arguments);
int command_status(struct client *client, const struct arguments *arguments);
int command_start(struct client *client, const struct arguments *arguments);
int command_suspend(struct client *client, const struct arguments *arguments);
int command_resume(struct client *client, const struct arguments *arguments);
int command_stop(struct client *client, const struct arguments *arguments);
int command_kill(struct client *client, const struct arguments *arguments);
int command_hold(struct client *client, const struct arguments *arguments);
int command_attach(struct client *client, const struct arguments *arguments);
int command_connect(struct client *client, const struct arguments *arguments);
int command_console(struct client *client, const struct arguments *arguments);
int command_screenshot(struct client *client, const struct arguments *arguments);
int command_type(struct client *client, const struct arguments *arguments);
int command_logs(struct client *client, const struct arguments *arguments);
int command_doctor(struct client *client, const struct arguments *arguments);
int command_cert(struct client *client, const struct arguments *arguments);
int command_version(struct client *client, const struct arguments *arguments);
int command_help(struct client *client, const struct arguments *arguments);
