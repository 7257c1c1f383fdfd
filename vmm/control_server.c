/*
 * See control_server.h. The requests are the table at the end. What must stay true: every request gets exactly one
 * reply, in order; and the reply is on its way before the process ends.
 */
#include "vmm/control_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/ipc.h"
#include "base/log.h"
#include "vmm/control.h"
#include "vmm/machine.h"
#include "vmm/viewer.h"

enum {
	CONTROL_QUEUE = 256,
	CONTROL_REPLY_MAX = 4096,
	CONTROL_INPUT_MAX = 1024,
	PROGRESS_INTERVAL_US = 100000,
};

struct control_server {
	struct control_server_setup setup;
	sd_event_source *listen;
	struct ipc_channel *monitor; /* NULL: none connected */
	struct machine *machine;     /* NULL until configured */
	struct viewers *viewers;
	struct vmm_config config;
	enum vmm_state state;
	uint64_t progress_us; /* when it was last told */
	bool ending;
};

/* A request being answered: `reply` begins with the error, which is filled in afterwards. */
struct exchange {
	struct ipc_message *message;
	struct wire *body; /* of the request */
	struct wire reply; /* what follows the error */
	int fd;            /* that goes with the reply, borrowed; -1: none */
	bool quit;         /* the process ends after the reply */
};

static void end(struct control_server *server, enum vmm_exit code, const char *text)
{
	uint8_t buffer[4 + VMM_TEXT_MAX];
	char shortened[VMM_TEXT_MAX];
	struct wire wire;

	if (server->ending) {
		return;
	}
	server->ending = true;
	if (code == VMM_EXIT_QUIT || code == VMM_EXIT_POWERED_OFF) {
		log_info("vmm: ending: %s", text);
	} else {
		log_error("vmm: ending (%d): %s", (int)code, text);
	}
	if (server->monitor) {
		snprintf(shortened, sizeof(shortened), "%s", text);
		wire_init_write(&wire, buffer, sizeof(buffer));
		wire_put_u8(&wire, (uint8_t)code);
		wire_put_string(&wire, shortened);
		/* Whoever misses it has the exit status. */
		(void)!ipc_channel_send(server->monitor, VMM_EVENT_EXITING, &wire, NULL, 0);
	}
	sd_event_exit(server->setup.event, (int)code);
}

static void on_machine_end(void *context, enum vmm_exit code, const char *text)
{
	end(context, code, text);
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

static const struct machine_ops machine_callbacks = {
	.on_end = on_machine_end,
	.on_mode = on_machine_mode,
	.on_leds = on_machine_leds,
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

static int do_hello(struct control_server *server, struct exchange *exchange)
{
	wire_put_u8(&exchange->reply, (uint8_t)server->state);
	wire_put_string(&exchange->reply, server->config.session);
	wire_put_u32(&exchange->reply, server->config.memory_mib);
	wire_put_u32(&exchange->reply, (uint32_t)getpid());
	return 0;
}

/* In the order of enum vmm_config_fd, then the layers; what is missing is -EPROTO. */
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
	for (files->layer_count = 0; files->layer_count < config->layer_count;
	     files->layer_count++) {
		int *layer = &files->layers[files->layer_count];

		*layer = ipc_message_take_fd(exchange->message, next++);
		missing = missing || *layer < 0;
	}
	return missing || next != exchange->message->fd_count ? -EPROTO : 0;
}

static void close_files(struct machine_files *files)
{
	fd_close(&files->kvm);
	fd_close(&files->kernel);
	fd_close(&files->initrd);
	fd_close(&files->console);
	fd_close(&files->state);
	while (files->layer_count > 0) {
		fd_close(&files->layers[--files->layer_count]);
	}
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
		end(server, VMM_EXIT_PROTOCOL, "the configuration makes no sense");
		return error;
	}
	log_set_session(server->config.session);
	error = take_files(exchange, &server->config, &files);
	if (error) {
		close_files(&files);
		end(server, VMM_EXIT_PROTOCOL, "descriptors are missing");
		return error;
	}
	error = machine_create(
	    &surroundings, &server->config, &files, &server->machine, &code, reason);
	if (error) {
		end(server, code, reason);
		return error;
	}
	error = viewers_create(
	    server->setup.event, server->machine, &viewer_callbacks, server, &server->viewers);
	if (error) {
		end(server, VMM_EXIT_MEMORY, "no memory");
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
		error = machine_suspend(
		    server->machine, generation, files, on_progress, server, &report, reason);
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
	(void)server;
	exchange->quit = true;
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
};

/* The error, and what follows it when there is none. */
static int send_reply(
    struct control_server *server, uint16_t type, int error, struct exchange *exchange)
{
	uint8_t buffer[4 + CONTROL_REPLY_MAX];
	struct wire wire;
	bool with_fd = !error && exchange->fd >= 0;

	wire_init_write(&wire, buffer, sizeof(buffer));
	wire_put_u32(&wire, (uint32_t)error);
	if (!error) {
		wire_put_bytes(&wire, exchange->reply.data, exchange->reply.position);
	}
	return ipc_channel_send(
	    server->monitor, (uint16_t)(type + VMM_REPLY), &wire, &exchange->fd, with_fd);
}

static int on_message(struct ipc_channel *channel, struct ipc_message *message, void *context)
{
	struct control_server *server = context;
	uint8_t buffer[CONTROL_REPLY_MAX];
	struct exchange exchange = { .message = message, .body = &message->body, .fd = -1 };
	int error;

	(void)channel;
	if (message->type >= sizeof(requests) / sizeof(requests[0]) ||
	    !requests[message->type].handle) {
		return -EPROTO;
	}
	wire_init_write(&exchange.reply, buffer, sizeof(buffer));
	error = requests[message->type].needs_machine && !server->machine
		    ? -ENODEV
		    : requests[message->type].handle(server, &exchange);
	if (!error && !wire_ok(&exchange.reply)) {
		error = -EMSGSIZE;
	}
	if (send_reply(server, message->type, error, &exchange)) {
		return -EPIPE;
	}
	if (exchange.quit) {
		end(server, VMM_EXIT_QUIT, "asked to");
	}
	return 0;
}

static void on_close(struct ipc_channel *channel, int error, void *context)
{
	struct control_server *server = context;

	log_notice("vmm: the monitor is gone%s%s", error ? ": " : "",
	    error ? strerrordesc_np(-error) : "");
	ipc_channel_destroy(channel);
	server->monitor = NULL;
	(void)sd_event_source_set_enabled(server->listen, SD_EVENT_ON);
}

static const struct ipc_channel_ops monitor_ops = { .on_message = on_message,
	.on_close = on_close };

static bool may_connect(const struct control_server *server, int socket)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       size == sizeof(peer) && (peer.uid == 0 || peer.uid == server->setup.monitor_uid);
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct control_server *server = context;
	int socket = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int error;

	(void)events;
	if (socket < 0) {
		return 0;
	}
	if (!may_connect(server, socket)) {
		log_warning("vmm: a connection that is not the monitor's was refused");
		fd_close(&socket);
		return 0;
	}
	error = ipc_channel_create_take(
	    server->setup.event, socket, CONTROL_QUEUE, &monitor_ops, server, &server->monitor);
	if (error) {
		log_error("vmm: the monitor's connection: %s", strerrordesc_np(-error));
		fd_close(&socket);
		return 0;
	}
	/* One at a time; the next waits in the socket's backlog. */
	return sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

int control_server_create(const struct control_server_setup *setup, struct control_server **server)
{
	struct control_server *created = calloc(1, sizeof(*created));
	int error;

	if (!created) {
		return -ENOMEM;
	}
	created->setup = *setup;
	error = fd_set_nonblocking(setup->listen_fd);
	if (!error) {
		error = sd_event_add_io(setup->event, &created->listen, setup->listen_fd, EPOLLIN,
		    on_connection, created);
	}
	if (error < 0) {
		free(created);
		return error;
	}
	*server = created;
	return 0;
}

void control_server_destroy(struct control_server *server)
{
	if (!server) {
		return;
	}
	if (server->machine) {
		/* From here on no vCPU calls back. */
		machine_stop(server->machine);
	}
	viewers_destroy(server->viewers);
	server->viewers = NULL;
	machine_destroy(server->machine);
	ipc_channel_destroy(server->monitor);
	sd_event_source_disable_unref(server->listen);
	free(server);
}
