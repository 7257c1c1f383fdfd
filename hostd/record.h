/*
 * What the monitor itself remembers of a running process, in RUNTIME/vmm/USER.json and RUNTIME/display/ID.json: it is read
 * back when the daemon starts again, since the process's own word is not believed. Owner-only files, replaced by rename;
 * gone with the process. They need not survive a reboot, after which there is no process. Monitor.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "session/grant.h"

struct record {
	int32_t pid;
	uint64_t start;  /* process_start_time(), so that a number used again is not mistaken */
	uint64_t viewer; /* display: its number */
	uint64_t base;   /* VMM: generation it was loaded from */
	uint32_t slot;   /* of the uid range */
	uint32_t memory_mib, vcpus; /* VMM */
	bool ran;                   /* VMM: a vCPU has run */
	uint32_t rights;            /* display: enum machine_right, as granted */
	bool attached;              /* display */
	bool granted;               /* display: logged in as `user` */
	char user[GRANT_NAME_MAX];
	char session[GRANT_NAME_MAX]; /* display: the desktop it sees */
	char peer[64];
};

/* Writes NAME.json in the folder `folder_fd`. 0 or -errno. */
must_check int record_write(int folder_fd, const char *name, const struct record *record);
/* 0; -ENOENT; -EBADMSG when it is not such a record; -errno. */
must_check int record_read(int folder_fd, const char *name, struct record *record);
/* Deletes NAME.json, there or not. */
void record_remove(int folder_fd, const char *name);
