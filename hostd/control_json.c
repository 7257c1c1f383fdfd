/* How sessions, statistics and the host itself look in JSON: the tables of docs/CONTROL.md. */
#include <string.h>

#include "base/clock.h"
#include "hostd/control_internal.h"
#include "version.h"
#include "vmm/control.h"

static json_t *viewers_of(struct broker *broker, const struct session *session)
{
	json_t *list = json_array();
	struct viewer *viewer = NULL;

	while (list != NULL &&
	       (viewer = table_next_viewer(broker->table, session->id, viewer)) != NULL) {
		if (viewer->phase != TABLE_VIEWER_SESSION) {
			continue;
		}
		if (json_array_append_new(
			list, json_pack("{s:I,s:s,s:s,s:I}", "viewer", (json_int_t)viewer->id,
				  "peer", viewer->peer, "user", viewer->user, "since_us",
				  (json_int_t)viewer->since_us)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *control_json_session(struct broker *broker, struct session *session)
{
	const struct machine *machine = &session->machine;

	return json_pack("{s:s,s:s,s:s,s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s,s:I,s:s,s:o}",
	    "session", session->user, "user", session->user, "state",
	    machine_state_name(machine_state(machine)), "viewers", viewers_of(broker, session),
	    "memory_mib", (json_int_t)machine->policy.memory_mib, "vcpus",
	    (json_int_t)machine->policy.vcpus, "width", (json_int_t)machine->policy.width, "height",
	    (json_int_t)machine->policy.height, "pid", (json_int_t)session->pid, "generation",
	    (json_int_t)(machine->generation != 0 ? machine->generation : machine->base), "resumes",
	    (json_int_t)machine->resumes, "since_us", (json_int_t)session->since_us, "reason",
	    machine->reason, "snapshot_bytes", (json_int_t)session->snapshot_bytes, "last_error",
	    machine->last_error, "holds", control_json_holds(broker, session));
}

json_t *control_json_statistics(const struct report *report)
{
	struct vmm_statistics statistics;
	struct wire wire;

	wire_init_read(&wire, report->payload, report->payload_size);
	if (vmm_statistics_decode(&wire, &statistics) != 0) {
		return NULL;
	}
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "uptime_us",
	    (json_int_t)statistics.uptime_us, "vcpu_us", (json_int_t)statistics.vcpu_us, "exits",
	    (json_int_t)statistics.exits, "ram_private_bytes",
	    (json_int_t)statistics.ram_private_bytes, "damage_scans",
	    (json_int_t)statistics.damage_scans, "input_events",
	    (json_int_t)statistics.input_events, "viewers", (json_int_t)statistics.viewers, "width",
	    (json_int_t)statistics.width, "height", (json_int_t)statistics.height);
}

json_t *control_json_info(struct broker *broker, bool full)
{
	const struct protocol_settings *settings = &broker->settings;
	json_t *listen = json_array();
	const char *unix_path = "";
	json_t *info;

	for (uint32_t i = 0; listen != NULL && i < settings->listener_count; i++) {
		const struct protocol_listener *listener = &settings->listeners[i];

		if (listener->kind == PROTOCOL_LISTENER_UNIX) {
			unix_path = listener->address;
		} else if (listener->kind == PROTOCOL_LISTENER_TCP) {
			(void)json_array_append_new(
			    listen, json_pack("{s:s,s:i}", "address", listener->address, "port",
					(int)listener->port));
		}
	}
	info = json_pack("{s:s,s:s,s:s,s:I,s:o,s:s,s:s,s:s}", "version", TANMATSU_VERSION, "mode",
	    settings->single_user ? "single-user" : "system", "host", settings->host, "pid",
	    (json_int_t)settings->monitor_pid, "listen", listen, "unix", unix_path, "ca",
	    settings->ca_path, "layout", settings->layout);
	if (info != NULL && full) {
		(void)json_object_set_new(info, "state", json_string(settings->state));
		(void)json_object_set_new(info, "runtime", json_string(settings->runtime));
		(void)json_object_set_new(info, "uptime_us",
		    json_integer((json_int_t)(clock_realtime_us() - settings->started_us)));
		(void)json_object_set_new(
		    info, "sessions", json_integer((json_int_t)table_session_count(broker->table)));
		(void)json_object_set_new(
		    info, "viewers", json_integer((json_int_t)table_viewer_count(broker->table)));
	}
	return info;
}

json_t *control_json_doctor(const struct report *report)
{
	json_t *checks = json_array();
	struct wire wire;
	uint16_t count;

	wire_init_read(&wire, report->payload, report->payload_size);
	count = wire_get_u16(&wire);
	for (uint16_t i = 0; checks != NULL && i < count; i++) {
		bool ok = wire_get_bool(&wire);
		char name[64];
		char detail[512];
		char mend[512];

		wire_get_string(&wire, name, sizeof(name));
		wire_get_string(&wire, detail, sizeof(detail));
		wire_get_string(&wire, mend, sizeof(mend));
		if (!wire_ok(&wire)) {
			break;
		}
		(void)json_array_append_new(
		    checks, json_pack("{s:s,s:b,s:s,s:s}", "name", name, "ok", (int)ok, "detail",
				detail, "mend", mend));
	}
	return json_pack("{s:o}", "checks", checks);
}
