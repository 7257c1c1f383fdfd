/*
 * The structures of the monitor's conversation with a display process (display/control.h), as
 * bytes. Both ends link this file. What must stay true: whatever passes the decoders has terminated
 * strings and counts within their arrays.
 */
#include "display/control.h"

#include <errno.h>
#include <string.h>

#include "display/scanout.h"

static bool security_known(uint32_t type)
{
	return type == DISPLAY_SECURITY_NONE || type == DISPLAY_SECURITY_PLAIN ||
	       type == DISPLAY_SECURITY_TLS_PLAIN || type == DISPLAY_SECURITY_X509_PLAIN;
}

void display_config_encode(const struct display_config *config, struct wire *wire)
{
	wire_put_u64(wire, config->viewer_id);
	wire_put_string(wire, config->peer);
	wire_put_string(wire, config->peer_user);
	wire_put_string(wire, config->desktop_name);
	wire_put_string(wire, config->layout);
	wire_put_u32(wire, config->grace_s);
	if (config->security_count > DISPLAY_SECURITY_MAX) {
		wire_fail(wire);
		return;
	}
	wire_put_u32(wire, config->security_count);
	for (uint32_t i = 0; i < config->security_count; i++) {
		wire_put_u32(wire, config->security[i]);
	}
	wire_put_string(wire, config->tls_priority);
	wire_put_u32(wire, config->width);
	wire_put_u32(wire, config->height);
}

int display_config_decode(struct wire *wire, struct display_config *config)
{
	memset(config, 0, sizeof(*config));
	config->viewer_id = wire_get_u64(wire);
	wire_get_string(wire, config->peer, sizeof(config->peer));
	wire_get_string(wire, config->peer_user, sizeof(config->peer_user));
	wire_get_string(wire, config->desktop_name, sizeof(config->desktop_name));
	wire_get_string(wire, config->layout, sizeof(config->layout));
	config->grace_s = wire_get_u32(wire);
	config->security_count = wire_get_u32(wire);
	if (!wire_ok(wire) || config->security_count > DISPLAY_SECURITY_MAX) {
		config->security_count = 0;
		return -EPROTO;
	}
	for (uint32_t i = 0; i < config->security_count; i++) {
		config->security[i] = wire_get_u32(wire);
		if (!security_known(config->security[i])) {
			return -EPROTO;
		}
	}
	wire_get_string(wire, config->tls_priority, sizeof(config->tls_priority));
	config->width = wire_get_u32(wire);
	config->height = wire_get_u32(wire);
	if (!wire_ok(wire) || config->width == 0 || config->width > SCANOUT_SIZE_MAX ||
	    config->height == 0 || config->height > SCANOUT_SIZE_MAX) {
		return -EPROTO;
	}
	return 0;
}

void display_state_encode(const struct display_state *state, struct wire *wire)
{
	wire_put_u64(wire, state->viewer_id);
	wire_put_u8(wire, state->phase);
	wire_put_bool(wire, state->attached);
	wire_put_string(wire, state->user);
	wire_put_string(wire, state->peer);
	wire_put_u32(wire, state->pid);
}

int display_state_decode(struct wire *wire, struct display_state *state)
{
	memset(state, 0, sizeof(*state));
	state->viewer_id = wire_get_u64(wire);
	state->phase = wire_get_u8(wire);
	state->attached = wire_get_bool(wire);
	wire_get_string(wire, state->user, sizeof(state->user));
	wire_get_string(wire, state->peer, sizeof(state->peer));
	state->pid = wire_get_u32(wire);
	if (!wire_ok(wire) || state->phase > DISPLAY_PHASE_SESSION) {
		return -EPROTO;
	}
	return 0;
}
