/* The viewer's end of a link, for tests: asks for damage and takes in what comes. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fd.h"
#include "tests/lib/harness_internal.h"

int vmm_harness_attach(struct vmm_harness *vmm, uint64_t id)
{
	uint8_t buffer[8];
	struct wire wire;
	int ends[2];
	int error = ipc_pair(ends);

	if (error) {
		return error;
	}
	wire_init_write(&wire, buffer, sizeof(buffer));
	wire_put_u64(&wire, id);
	error = vmm_harness_request(vmm, VMM_ATTACH, &wire, &ends[1], 1);
	fd_close(&ends[1]);
	if (error) {
		fd_close(&ends[0]);
		return error;
	}
	fd_close(&vmm->link);
	vmm->link = ends[0];
	return 0;
}

int vmm_harness_console(struct vmm_harness *vmm, int *console)
{
	int ends[2];
	int error;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		return -errno;
	}
	error = vmm_harness_request(vmm, VMM_CONSOLE, NULL, &ends[1], 1);
	fd_close(&ends[1]);
	if (error) {
		fd_close(&ends[0]);
		return error;
	}
	*console = ends[0];
	return 0;
}

int vmm_harness_want(struct vmm_harness *vmm, uint32_t scanout_id)
{
	uint8_t buffer[4];
	struct wire wire;

	wire_init_write(&wire, buffer, sizeof(buffer));
	wire_put_u32(&wire, scanout_id);
	return ipc_send(vmm->link, LINK_WANT, &wire, NULL, 0);
}

static int take_scanout(struct vmm_harness *vmm, struct ipc_message *message)
{
	int error = scanout_decode(&message->body, &vmm->scanout);
	void *mapping;

	if (error) {
		return error;
	}
	fd_close(&vmm->picture_fd);
	vmm->picture_fd = ipc_message_take_fd(message, 0);
	if (vmm->picture_fd < 0) {
		return vmm->picture_fd;
	}
	mapping = mmap(NULL, vmm->scanout.memory_size, PROT_READ, MAP_SHARED, vmm->picture_fd, 0);
	if (mapping == MAP_FAILED) {
		return -errno;
	}
	if (vmm->picture) {
		munmap((void *)(uintptr_t)vmm->picture, vmm->scanout.memory_size);
	}
	vmm->picture = mapping;
	return 0;
}

int vmm_harness_damage(struct vmm_harness *vmm, int timeout_ms)
{
	uint64_t deadline = clock_monotonic_us() + (uint64_t)timeout_ms * 1000;

	for (;;) {
		uint64_t now = clock_monotonic_us();
		int left = now < deadline ? (int)((deadline - now) / 1000) + 1 : 0;
		int error = harness_wait_readable(vmm->link, left);

		if (error) {
			return error;
		}
		ipc_message_fini(&vmm->message);
		error = ipc_receive(vmm->link, &vmm->message);
		if (error <= 0) {
			return error ? error : -EPIPE;
		}
		error = 0;
		switch (vmm->message.type) {
		case LINK_SCANOUT:
			error = take_scanout(vmm, &vmm->message);
			break;
		case LINK_LEDS:
			vmm->leds = wire_get_u8(&vmm->message.body);
			break;
		case LINK_DAMAGE:
			return scanout_damage_decode(
			    &vmm->message.body, &vmm->scanout, &vmm->damage);
		default:
			return -EPROTO;
		}
		if (error) {
			return error;
		}
	}
}
