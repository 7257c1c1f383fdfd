/*
 * What the monitor says to a VMM process and what it hears back. Messages of base/ipc.h on a SOCK_SEQPACKET Unix socket
 * that the VMM listens on (descriptor VMM_LISTEN_FD, made and bound by the monitor), one monitor at a time: when the
 * daemon is killed the VMM runs on, and the next monitor connects to the same socket. The VMM opens nothing by itself:
 * every file it needs comes with a message.
 *
 * Bodies are in wire format, in the order given here. Each request is answered by exactly one reply, in order, with the
 * same type plus VMM_REPLY and a first field `i32 error` (0 or -errno), then what the request says.
 *
 * Command line: `tanmatsu-vmm --uid UID --gid GID` when the monitor is root (what sandbox_policy.uid and .gid are to be), without
 * both in single-user mode. Standard error is the daemon's; a session of its own (setsid) is made by the monitor.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "base/wire.h"

enum {
	VMM_LISTEN_FD = 3,
	VMM_REPLY = 0x100,
	VMM_LAYERS_MAX = 32,
	VMM_DISKS_MAX = 4,
	VMM_DISK_ID_SIZE = 32,
	VMM_DISK_SERIAL_MAX = 20, /* characters */
	VMM_TEXT_MAX = 1024,
};

enum vmm_request {
	/* First on every connection. Reply: u8 state (enum vmm_state), string session, u32 memory MiB, u32 pid. */
	VMM_HELLO = 1,
	/* struct vmm_config and its descriptors, once. The VM is built, or loaded from a snapshot, and stands still. */
	VMM_CONFIGURE = 2,
	/* vCPUs run, for the first time or after VMM_PAUSE or VMM_SUSPEND. */
	VMM_RUN = 3,
	/* vCPUs stop. */
	VMM_PAUSE = 4,
	/* u64 viewer id; one fd, the viewer's link (display/scanout.h). A second attach detaches nobody. */
	VMM_ATTACH = 5,
	/* u64 viewer id: its link is closed and its held keys are released. */
	VMM_DETACH = 6,
	/*
	 * u64 generation; fds: 0 device state file, 1 RAM layer file, 2 last frame file, all empty and writable. vCPUs
	 * stop and stay stopped; all three files are written and fsynced. Reply: struct vmm_suspend_report. On an error the
	 * vCPUs run again and the files are to be thrown away. After success: VMM_QUIT once the generation is committed,
	 * or VMM_RUN to go on in spite of it.
	 */
	VMM_SUSPEND = 7,
	/* The guest's power button. */
	VMM_POWER_BUTTON = 8,
	/* Reset: the kernel starts afresh. */
	VMM_RESET = 9,
	/* Ends the process with VMM_EXIT_QUIT; the reply comes first. */
	VMM_QUIT = 10,
	/* Reply: struct scanout (display/scanout.h) and one fd, the picture's memfd, read-only. */
	VMM_PICTURE = 11,
	/* u16 count, events (input/event.h): typed by an administrator. */
	VMM_INPUT = 12,
	/* Reply: struct vmm_statistics. */
	VMM_STATISTICS = 13,
	/* u32 width, u32 height: preferred mode of the display. */
	VMM_RESIZE = 14,
	/*
	 * One fd, a connected stream socket: from now on it gets what the guest writes to its serial port, as the log does,
	 * and the guest reads what is written to it. One at a time: the one before is told in a line and closed. It does
	 * not survive this process.
	 */
	VMM_CONSOLE = 15,
};

/* Events, without a request. */
enum vmm_event {
	/* u8 exit code (enum vmm_exit), string text: the process ends now. */
	VMM_EVENT_EXITING = 0x201,
	/* u32 percent: progress of VMM_SUSPEND or VMM_CONFIGURE, at most ten a second. */
	VMM_EVENT_PROGRESS = 0x202,
	/* u64 viewer id: its link broke. */
	VMM_EVENT_VIEWER_GONE = 0x203,
};

enum vmm_state {
	VMM_STATE_EMPTY = 0, /* not yet configured */
	VMM_STATE_STOPPED = 1,
	VMM_STATE_RUNNING = 2,
	VMM_STATE_SUSPENDED = 3, /* snapshot written, waiting for VMM_QUIT or VMM_RUN */
};

/* Exit status of the process, and why. 1 is kept for unforeseen ends. */
enum vmm_exit {
	VMM_EXIT_QUIT = 0,         /* asked to (VMM_QUIT) */
	VMM_EXIT_USAGE = 2,        /* wrong command line */
	VMM_EXIT_POWERED_OFF = 10, /* the guest switched itself off */
	VMM_EXIT_KVM = 11,         /* a KVM call failed, or the guest did what KVM cannot do */
	VMM_EXIT_KERNEL = 12,      /* the image is not a kernel that can be loaded */
	VMM_EXIT_MEMORY = 13,      /* no memory of that size */
	VMM_EXIT_SNAPSHOT = 14,    /* the snapshot is damaged or foreign */
	VMM_EXIT_PROTOCOL = 15,    /* the monitor sent what nobody understands */
};

/* Which descriptors come with VMM_CONFIGURE, in this order, those that are there (bit set). */
enum vmm_config_fd {
	VMM_FD_KVM = 1 << 0,    /* always */
	VMM_FD_KERNEL = 1 << 1, /* absent: the built-in demo desktop */
	VMM_FD_INITRD = 1 << 2,
	VMM_FD_CONSOLE = 1 << 3, /* append-only log of the serial port */
	VMM_FD_STATE =
	    1
	    << 4, /* device state of the snapshot to load; then the disks, and the layers as the last ones */
};

/* What the file of a disk is; stated, never guessed. */
enum vmm_disk_format {
	VMM_DISK_RAW = 1,
	VMM_DISK_OVERLAY = 2, /* vmm/disk/overlay.h */
};

/* Its descriptors follow those of enum vmm_config_fd: the file, writable unless `read_only`, then its base, read-only. */
struct vmm_disk {
	uint8_t format; /* enum vmm_disk_format */
	bool read_only;
	bool has_base;                        /* overlays only */
	uint8_t base_id[VMM_DISK_ID_SIZE];    /* content hash of the base, as the overlay has it */
	char serial[VMM_DISK_SERIAL_MAX + 1]; /* what the guest knows it by; not empty */
};

struct vmm_config {
	char session[64]; /* name in messages */
	char user[64];    /* told to the guest */
	char host[64];
	int32_t timezone_minutes; /* offset from UTC */
	uint32_t memory_mib;      /* 16 to what the host has */
	uint32_t vcpus;           /* 1 to 16 */
	uint32_t width, height;   /* preferred mode at the start */
	char command_line[1024];
	uint64_t resumes;             /* times this desktop has been resumed, this time included */
	uint8_t generation_id[16];    /* VM generation id, new for every start and resume */
	uint64_t snapshot_generation; /* 0: boot */
	uint32_t descriptors;         /* enum vmm_config_fd */
	uint32_t layer_count;         /* RAM layers, oldest first, after the others */
	uint64_t console_limit;       /* bytes that the console log may grow to */
	uint32_t disk_count;          /* PCI slots 5 and up, in this order */
	struct vmm_disk disks[VMM_DISKS_MAX];
};

struct vmm_suspend_report {
	uint64_t generation;
	uint64_t ram_bytes; /* written to the layer */
	uint64_t state_bytes;
	uint64_t frame_bytes;
	uint64_t stopped_us; /* how long the vCPUs have stood still when the reply was sent */
	bool complete;       /* the layer holds all RAM and needs no older one */
};

struct vmm_statistics {
	uint64_t uptime_us;         /* since VMM_RUN */
	uint64_t vcpu_us;           /* CPU time of the vCPU threads */
	uint64_t exits;             /* KVM_RUN returns */
	uint64_t ram_private_bytes; /* pages that are not shared with a layer */
	uint64_t damage_scans;
	uint64_t input_events;
	uint32_t viewers;
	uint32_t width, height;
};

void vmm_config_encode(const struct vmm_config *config, struct wire *wire);
/* Returns 0 or -EPROTO: numbers out of range, strings too long, descriptors that make no sense. */
must_check int vmm_config_decode(struct wire *wire, struct vmm_config *config);
void vmm_suspend_report_encode(const struct vmm_suspend_report *report, struct wire *wire);
must_check int vmm_suspend_report_decode(struct wire *wire, struct vmm_suspend_report *report);
void vmm_statistics_encode(const struct vmm_statistics *statistics, struct wire *wire);
must_check int vmm_statistics_decode(struct wire *wire, struct vmm_statistics *statistics);
