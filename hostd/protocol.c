/*
 * The formats of hostd/protocol.h. Broker and monitor both link this file, and both decode what the other wrote as if it
 * were hostile: after a decoder returned 0, strings are terminated and counts lie within their arrays.
 */
#include "hostd/protocol.h"

#include <errno.h>
#include <string.h>

static void put_payload(struct wire *wire, const uint8_t *payload, size_t size)
{
	if (size > PROTOCOL_PAYLOAD_MAX) {
		wire_fail(wire);
		return;
	}
	wire_put_u32(wire, (uint32_t)size);
	if (size > 0) {
		wire_put_bytes(wire, payload, size);
	}
}

static void get_payload(struct wire *wire, const uint8_t **payload, size_t *size)
{
	*size = wire_get_u32(wire);
	if (*size > PROTOCOL_PAYLOAD_MAX) {
		wire_fail(wire);
		*size = 0;
	}
	*payload = *size > 0 ? wire_get_view(wire, *size) : NULL;
}

void request_encode(const struct request *request, struct wire *wire)
{
	wire_put_u64(wire, request->tag);
	wire_put_u64(wire, request->viewer);
	wire_put_u64(wire, request->generation);
	wire_put_u64(wire, request->base);
	wire_put_u64(wire, request->number[0]);
	wire_put_u64(wire, request->number[1]);
	wire_put_u32(wire, request->value);
	wire_put_string(wire, request->user);
	wire_put_string(wire, request->text);
	put_payload(wire, request->payload, request->payload_size);
}

int request_decode(struct wire *wire, struct request *request)
{
	memset(request, 0, sizeof(*request));
	request->tag = wire_get_u64(wire);
	request->viewer = wire_get_u64(wire);
	request->generation = wire_get_u64(wire);
	request->base = wire_get_u64(wire);
	request->number[0] = wire_get_u64(wire);
	request->number[1] = wire_get_u64(wire);
	request->value = wire_get_u32(wire);
	wire_get_string(wire, request->user, sizeof(request->user));
	wire_get_string(wire, request->text, sizeof(request->text));
	get_payload(wire, &request->payload, &request->payload_size);
	return wire_done(wire) ? 0 : -EPROTO;
}

void report_encode(const struct report *report, struct wire *wire)
{
	wire_put_u64(wire, report->tag);
	wire_put_u64(wire, report->viewer);
	wire_put_u64(wire, report->generation);
	for (size_t i = 0; i < PROTOCOL_NUMBERS; i++) {
		wire_put_u64(wire, report->number[i]);
	}
	wire_put_u32(wire, report->value);
	wire_put_u32(wire, (uint32_t)report->error);
	wire_put_bool(wire, report->flag);
	wire_put_string(wire, report->user);
	wire_put_string(wire, report->peer);
	wire_put_string(wire, report->text);
	put_payload(wire, report->payload, report->payload_size);
}

int report_decode(struct wire *wire, struct report *report)
{
	memset(report, 0, sizeof(*report));
	report->tag = wire_get_u64(wire);
	report->viewer = wire_get_u64(wire);
	report->generation = wire_get_u64(wire);
	for (size_t i = 0; i < PROTOCOL_NUMBERS; i++) {
		report->number[i] = wire_get_u64(wire);
	}
	report->value = wire_get_u32(wire);
	report->error = (int32_t)wire_get_u32(wire);
	report->flag = wire_get_bool(wire);
	wire_get_string(wire, report->user, sizeof(report->user));
	wire_get_string(wire, report->peer, sizeof(report->peer));
	wire_get_string(wire, report->text, sizeof(report->text));
	get_payload(wire, &report->payload, &report->payload_size);
	return wire_done(wire) ? 0 : -EPROTO;
}

void protocol_settings_encode(const struct protocol_settings *settings, struct wire *wire)
{
	wire_put_u32(wire, settings->version);
	wire_put_bool(wire, settings->single_user);
	wire_put_u32(wire, settings->startup_begin);
	wire_put_u32(wire, settings->startup_rate);
	wire_put_u32(wire, settings->startup_full);
	wire_put_u32(wire, settings->per_source);
	wire_put_u32(wire, settings->viewers_max);
	wire_put_u64(wire, settings->started_us);
	wire_put_u32(wire, settings->monitor_pid);
	wire_put_string(wire, settings->host);
	wire_put_string(wire, settings->layout);
	wire_put_string(wire, settings->state);
	wire_put_string(wire, settings->runtime);
	wire_put_string(wire, settings->ca_path);
	wire_put_string(wire, settings->ca_sha256);
	wire_put_string(wire, settings->ca_pem);
	if (settings->listener_count > PROTOCOL_LISTENERS_MAX) {
		wire_fail(wire);
		return;
	}
	wire_put_u32(wire, settings->listener_count);
	for (uint32_t i = 0; i < settings->listener_count; i++) {
		wire_put_u8(wire, (uint8_t)settings->listeners[i].kind);
		wire_put_string(wire, settings->listeners[i].address);
		wire_put_u16(wire, settings->listeners[i].port);
	}
}

int protocol_settings_decode(struct wire *wire, struct protocol_settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	settings->version = wire_get_u32(wire);
	settings->single_user = wire_get_bool(wire);
	settings->startup_begin = wire_get_u32(wire);
	settings->startup_rate = wire_get_u32(wire);
	settings->startup_full = wire_get_u32(wire);
	settings->per_source = wire_get_u32(wire);
	settings->viewers_max = wire_get_u32(wire);
	settings->started_us = wire_get_u64(wire);
	settings->monitor_pid = wire_get_u32(wire);
	wire_get_string(wire, settings->host, sizeof(settings->host));
	wire_get_string(wire, settings->layout, sizeof(settings->layout));
	wire_get_string(wire, settings->state, sizeof(settings->state));
	wire_get_string(wire, settings->runtime, sizeof(settings->runtime));
	wire_get_string(wire, settings->ca_path, sizeof(settings->ca_path));
	wire_get_string(wire, settings->ca_sha256, sizeof(settings->ca_sha256));
	wire_get_string(wire, settings->ca_pem, sizeof(settings->ca_pem));
	settings->listener_count = wire_get_u32(wire);
	if (!wire_ok(wire) || settings->version != PROTOCOL_VERSION ||
	    settings->listener_count > PROTOCOL_LISTENERS_MAX) {
		settings->listener_count = 0;
		return -EPROTO;
	}
	for (uint32_t i = 0; i < settings->listener_count; i++) {
		uint8_t kind = wire_get_u8(wire);

		if (kind < PROTOCOL_LISTENER_TCP || kind > PROTOCOL_LISTENER_CONTROL) {
			return -EPROTO;
		}
		settings->listeners[i].kind = kind;
		wire_get_string(
		    wire, settings->listeners[i].address, sizeof(settings->listeners[i].address));
		settings->listeners[i].port = wire_get_u16(wire);
	}
	return wire_done(wire) ? 0 : -EPROTO;
}

static void put_policy(struct wire *wire, const struct policy *policy)
{
	wire_put_u8(wire, (uint8_t)policy->on_disconnect);
	wire_put_u64(wire, policy->disconnect_grace_us);
	wire_put_bool(wire, policy->honour_hold);
	wire_put_u32(wire, policy->busy_permille);
	wire_put_u64(wire, policy->busy_recheck_us);
	wire_put_u64(wire, policy->start_timeout_us);
	wire_put_u64(wire, policy->suspend_timeout_us);
	wire_put_u64(wire, policy->stop_timeout_us);
	wire_put_u64(wire, policy->retry_first_us);
	wire_put_u64(wire, policy->retry_max_us);
	wire_put_u32(wire, policy->keep_generations);
	wire_put_u32(wire, policy->memory_mib);
	wire_put_u32(wire, policy->vcpus);
	wire_put_u32(wire, policy->width);
	wire_put_u32(wire, policy->height);
}

static void get_policy(struct wire *wire, struct policy *policy)
{
	uint8_t on_disconnect = wire_get_u8(wire);

	if (on_disconnect > POLICY_DISCONNECT_SHUTDOWN) {
		wire_fail(wire);
	} else {
		policy->on_disconnect = on_disconnect;
	}
	policy->disconnect_grace_us = wire_get_u64(wire);
	policy->honour_hold = wire_get_bool(wire);
	policy->busy_permille = wire_get_u32(wire);
	policy->busy_recheck_us = wire_get_u64(wire);
	policy->start_timeout_us = wire_get_u64(wire);
	policy->suspend_timeout_us = wire_get_u64(wire);
	policy->stop_timeout_us = wire_get_u64(wire);
	policy->retry_first_us = wire_get_u64(wire);
	policy->retry_max_us = wire_get_u64(wire);
	policy->keep_generations = wire_get_u32(wire);
	policy->memory_mib = wire_get_u32(wire);
	policy->vcpus = wire_get_u32(wire);
	policy->width = wire_get_u32(wire);
	policy->height = wire_get_u32(wire);
}

void protocol_session_encode(const struct protocol_session *session, struct wire *wire)
{
	wire_put_string(wire, session->user);
	put_policy(wire, &session->policy);
	if (session->helper_count > GRANT_HELPERS_MAX) {
		wire_fail(wire);
		return;
	}
	wire_put_u32(wire, session->helper_count);
	for (uint32_t i = 0; i < session->helper_count; i++) {
		wire_put_string(wire, session->helpers[i].user);
		wire_put_u8(wire, (uint8_t)session->helpers[i].help);
	}
	wire_put_u64(wire, session->generation);
	wire_put_u64(wire, session->next);
	wire_put_u64(wire, session->resumes);
	wire_put_u64(wire, session->snapshot_bytes);
	wire_put_u64(wire, session->since_us);
	wire_put_string(wire, session->reason);
	wire_put_u32(wire, session->found);
	wire_put_u64(wire, session->base);
	wire_put_u32(wire, session->pid);
}

int protocol_session_decode(struct wire *wire, struct protocol_session *session)
{
	memset(session, 0, sizeof(*session));
	wire_get_string(wire, session->user, sizeof(session->user));
	get_policy(wire, &session->policy);
	session->helper_count = wire_get_u32(wire);
	if (!wire_ok(wire) || session->helper_count > GRANT_HELPERS_MAX) {
		session->helper_count = 0;
		return -EPROTO;
	}
	for (uint32_t i = 0; i < session->helper_count; i++) {
		uint8_t help;

		wire_get_string(wire, session->helpers[i].user, sizeof(session->helpers[i].user));
		help = wire_get_u8(wire);
		if (help != GRANT_HELP_VIEW && help != GRANT_HELP_STEER) {
			return -EPROTO;
		}
		session->helpers[i].help = help;
	}
	session->generation = wire_get_u64(wire);
	session->next = wire_get_u64(wire);
	session->resumes = wire_get_u64(wire);
	session->snapshot_bytes = wire_get_u64(wire);
	session->since_us = wire_get_u64(wire);
	wire_get_string(wire, session->reason, sizeof(session->reason));
	session->found = wire_get_u32(wire);
	session->base = wire_get_u64(wire);
	session->pid = wire_get_u32(wire);
	return wire_done(wire) && session->user[0] != '\0' ? 0 : -EPROTO;
}
