/*
 * What the monitor can ask of a VMM, a function each, and their table at the end. A handler reads the request's body
 * whole or answers -EPROTO, and closes every descriptor that it took and did not pass on.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "vmm/control_internal.h"

enum {
	CONTROL_INPUT_MAX = 1024,
	PROGRESS_INTERVAL_US = 100000,
};

static void on_machine_end(void *context, enum vmm_exit code, const char *text)
{
	control_server_end(context, code, text);
}

static void on_machine_mode(void *context, const struct scanout *scanout)
{
	struct control_server *server = context;

	(void)scanout;
	if (server->viewers) {
		viewers_on_mode(server->viewers);
	}
}

static void on_machine_leds(void *context, uint8_t leds)
{
	struct control_server *server = context;

	if (server->viewers) {
		viewers_on_leds(server->viewers, leds);
	}
}

static void on_progress(void *context, uint32_t percent)
{
	struct control_server *server = context;
	uint64_t now = clock_monotonic_us();
	uint8_t buffer[4];
	struct wire wire;

	if (!server->monitor || now - server->progress_us < PROGRESS_INTERVAL_US) {
		return;
	}
	server->progress_us = now;
	wire_init_write(&wire, buffer, sizeof(buffer));
	wire_put_u32(&wire, percent);
	(void)!ipc_channel_send(server->monitor, VMM_EVENT_PROGRESS, &wire, NULL, 0);
}

static const struct machine_ops machine_callbacks = {
	.on_end = on_machine_end,
	.on_mode = on_machine_mode,
	.on_leds = on_machine_leds,
	.on_progress = on_progress,
};

static void on_viewer_gone(void *context, uint64_t id, int error)
{
	struct control_server *server = context;
	uint8_t buffer[8];
	struct wire wire;

	if (error) {
		log_warning("viewer %llu: link closed: %s", (unsigned long long)id,
		    strerrordesc_np(-error));
	}
	wire_init_write(&wire, buffer, sizeof(buffer));
	wire_put_u64(&wire, id);
	if (server->monitor) {
		(void)!ipc_channel_send(server->monitor, VMM_EVENT_VIEWER_GONE, &wire, NULL, 0);
	}
}

static const struct viewers_ops viewer_callbacks = { .on_gone = on_viewer_gone };

static int do_hello(struct control_server *server, struct exchange *exchange)
{
	wire_put_u8(&exchange->reply, (uint8_t)server->state);
	wire_put_string(&exchange->reply, server->config.session);
	wire_put_u32(&exchange->reply, server->config.memory_mib);
	wire_put_u32(&exchange->reply, (uint32_t)getpid());
	return 0;
}

/* In the order of enum vmm_config_fd, then the disks, then the layers; what is missing is -EPROTO. */
static int take_files(
    struct exchange *exchange, const struct vmm_config *config, struct machine_files *files)
{
	struct {
		uint32_t bit;
		int *fd;
	} const order[] = {
		{ VMM_FD_KVM, &files->kvm },
		{ VMM_FD_KERNEL, &files->kernel },
		{ VMM_FD_INITRD, &files->initrd },
		{ VMM_FD_CONSOLE, &files->console },
		{ VMM_FD_STATE, &files->state },
	};
	size_t next = 0;
	bool missing = false;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		*order[i].fd = -1;
		if (config->descriptors & order[i].bit) {
			*order[i].fd = ipc_message_take_fd(exchange->message, next++);
			missing = missing || *order[i].fd < 0;
		}
	}
	for (uint32_t i = 0; i < VMM_DISKS_MAX; i++) {
		struct machine_disk_files *disk = &files->disks[i];

		*disk = (struct machine_disk_files){ -1, -1 };
		if (i < config->disk_count) {
			disk->file = ipc_message_take_fd(exchange->message, next++);
			missing = missing || disk->file < 0;
		}
		if (i < config->disk_count && config->disks[i].has_base) {
			disk->base = ipc_message_take_fd(exchange->message, next++);
			missing = missing || disk->base < 0;
		}
	}
	for (files->layer_count = 0; files->layer_count < config->layer_count;
	     files->layer_count++) {
		int *layer = &files->layers[files->layer_count];

		*layer = ipc_message_take_fd(exchange->message, next++);
		missing = missing || *layer < 0;
	}
	return missing || next != exchange->message->fd_count ? -EPROTO : 0;
}

static int do_configure(struct control_server *server, struct exchange *exchange)
{
	const struct machine_surroundings surroundings = {
		.event = server->setup.event,
		.framebuffer = server->setup.framebuffer,
		.pagemap_fd = server->setup.pagemap_fd,
		.ops = &machine_callbacks,
		.context = server,
	};
	struct machine_files files;
	enum vmm_exit code;
	char reason[MACHINE_REASON_MAX];
	int error;

	if (server->machine) {
		return -EALREADY;
	}
	error = vmm_config_decode(exchange->body, &server->config);
	if (error) {
		control_server_end(server, VMM_EXIT_PROTOCOL, "the configuration makes no sense");
		return error;
	}
	log_set_session(server->config.session);
	error = take_files(exchange, &server->config, &files);
	if (error) {
		machine_files_close(&files);
		control_server_end(server, VMM_EXIT_PROTOCOL, "descriptors are missing");
		return error;
	}
	error = machine_create(
	    &surroundings, &server->config, &files, &server->machine, &code, reason);
	if (error) {
		control_server_end(server, code, reason);
		return error;
	}
	error = viewers_create(
	    server->setup.event, server->machine, &viewer_callbacks, server, &server->viewers);
	if (error) {
		control_server_end(server, VMM_EXIT_MEMORY, "no memory");
		return error;
	}
	server->state = VMM_STATE_STOPPED;
	return 0;
}

static int do_run(struct control_server *server, struct exchange *exchange)
{
	(void)exchange;
	machine_run(server->machine);
	server->state = VMM_STATE_RUNNING;
	return 0;
}

static int do_pause(struct control_server *server, struct exchange *exchange)
{
	(void)exchange;
	machine_stop(server->machine);
	server->state = VMM_STATE_STOPPED;
	return 0;
}

static int do_attach(struct control_server *server, struct exchange *exchange)
{
	uint64_t id = wire_get_u64(exchange->body);
	int link;

	if (!wire_done(exchange->body) || exchange->message->fd_count != 1) {
		return -EPROTO;
	}
	link = ipc_message_take_fd(exchange->message, 0);
	return link < 0 ? link : viewers_attach_take(server->viewers, id, link);
}

static int do_detach(struct control_server *server, struct exchange *exchange)
{
	uint64_t id = wire_get_u64(exchange->body);

	return wire_done(exchange->body) ? viewers_detach(server->viewers, id) : -EPROTO;
}

static int do_suspend(struct control_server *server, struct exchange *exchange)
{
	struct vmm_suspend_report report = { 0 };
	uint64_t generation = wire_get_u64(exchange->body);
	char reason[MACHINE_REASON_MAX] = "";
	int files[3] = { -1, -1, -1 };
	int error = 0;

	if (!wire_done(exchange->body) || generation == 0 || exchange->message->fd_count != 3) {
		return -EPROTO;
	}
	for (size_t i = 0; i < 3; i++) {
		files[i] = ipc_message_take_fd(exchange->message, i);
		error = files[i] < 0 ? -EPROTO : error;
	}
	server->progress_us = clock_monotonic_us();
	if (!error) {
		error = machine_suspend(server->machine, generation, files, &report, reason);
	}
	for (size_t i = 0; i < 3; i++) {
		fd_close(&files[i]);
	}
	if (error) {
		log_error("suspend: gen=%llu: %s", (unsigned long long)generation,
		    reason[0] ? reason : strerrordesc_np(-error));
		return error;
	}
	log_info("suspend: gen=%llu: %llu KiB of memory in %llu us", (unsigned long long)generation,
	    (unsigned long long)report.ram_bytes / 1024, (unsigned long long)report.stopped_us);
	vmm_suspend_report_encode(&report, &exchange->reply);
	server->state = VMM_STATE_SUSPENDED;
	return 0;
}

static int do_power_button(struct control_server *server, struct exchange *exchange)
{
	(void)exchange;
	machine_lock(server->machine);
	machine_press_power_button(server->machine);
	machine_unlock(server->machine);
	return 0;
}

static int do_reset(struct control_server *server, struct exchange *exchange)
{
	(void)exchange;
	return machine_reset(server->machine);
}

static int do_quit(struct control_server *server, struct exchange *exchange)
{
	(void)exchange;
	control_server_end(server, VMM_EXIT_QUIT, "asked to");
	return 0;
}

static int do_picture(struct control_server *server, struct exchange *exchange)
{
	struct scanout scanout;
	bool shown;

	machine_lock(server->machine);
	shown = machine_scanout(server->machine, &scanout);
	machine_unlock(server->machine);
	if (!shown) {
		return -ENODATA;
	}
	scanout_encode(&scanout, &exchange->reply);
	exchange->fd = framebuffer_read_only_fd(server->setup.framebuffer);
	return 0;
}

static int do_input(struct control_server *server, struct exchange *exchange)
{
	struct input_event events[CONTROL_INPUT_MAX];
	uint16_t count = wire_get_u16(exchange->body);

	if (count > CONTROL_INPUT_MAX) {
		return -EPROTO;
	}
	for (uint16_t i = 0; i < count; i++) {
		if (input_event_decode(exchange->body, &events[i])) {
			return -EPROTO;
		}
	}
	if (!wire_done(exchange->body)) {
		return -EPROTO;
	}
	machine_lock(server->machine);
	for (uint16_t i = 0; i < count; i++) {
		machine_input(server->machine, &events[i]);
	}
	viewers_on_input(server->viewers);
	machine_unlock(server->machine);
	return 0;
}

static int do_statistics(struct control_server *server, struct exchange *exchange)
{
	struct vmm_statistics statistics = { 0 };

	machine_lock(server->machine);
	machine_statistics(server->machine, &statistics);
	machine_unlock(server->machine);
	statistics.viewers = viewers_count(server->viewers);
	statistics.damage_scans = viewers_scans(server->viewers);
	vmm_statistics_encode(&statistics, &exchange->reply);
	return 0;
}

static int do_resize(struct control_server *server, struct exchange *exchange)
{
	uint32_t width = wire_get_u32(exchange->body);
	uint32_t height = wire_get_u32(exchange->body);

	if (!wire_done(exchange->body) || width == 0 || height == 0 || width > SCANOUT_SIZE_MAX ||
	    height > SCANOUT_SIZE_MAX) {
		return -EPROTO;
	}
	machine_lock(server->machine);
	machine_set_preferred_size(server->machine, width, height);
	machine_unlock(server->machine);
	return 0;
}

static int do_console(struct control_server *server, struct exchange *exchange)
{
	int peer, error;

	if (!wire_done(exchange->body) || exchange->message->fd_count != 1) {
		return -EPROTO;
	}
	peer = ipc_message_take_fd(exchange->message, 0);
	if (peer < 0) {
		return peer;
	}
	machine_lock(server->machine);
	error = machine_attach_console_take(server->machine, peer);
	machine_unlock(server->machine);
	return error;
}

static const struct {
	int (*handle)(struct control_server *server, struct exchange *exchange);
	bool needs_machine; /* -ENODEV before VMM_CONFIGURE */
} requests[] = {
	[VMM_HELLO] = { do_hello, false },
	[VMM_CONFIGURE] = { do_configure, false },
	[VMM_RUN] = { do_run, true },
	[VMM_PAUSE] = { do_pause, true },
	[VMM_ATTACH] = { do_attach, true },
	[VMM_DETACH] = { do_detach, true },
	[VMM_SUSPEND] = { do_suspend, true },
	[VMM_POWER_BUTTON] = { do_power_button, true },
	[VMM_RESET] = { do_reset, true },
	[VMM_QUIT] = { do_quit, false },
	[VMM_PICTURE] = { do_picture, true },
	[VMM_INPUT] = { do_input, true },
	[VMM_STATISTICS] = { do_statistics, true },
	[VMM_RESIZE] = { do_resize, true },
	[VMM_CONSOLE] = { do_console, true },
};

bool control_requests_know(uint16_t type)
{
	return type < sizeof(requests) / sizeof(requests[0]) && requests[type].handle;
}

int control_requests_handle(struct control_server *server, uint16_t type, struct exchange *exchange)
{
	if (requests[type].needs_machine && !server->machine) {
		return -ENODEV;
	}
	return requests[type].handle(server, exchange);
}
