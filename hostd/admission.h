/*
 * Who may wait at the door: the limit on connections that have not logged in, as sshd's MaxStartups
 * has it (begin:rate:full), with two differences: what is dropped is an old silent connection
 * rather than the new one, so that a flood of half-open connections does not keep people out (and early only from a source that has several); and a
 * failed login keeps its place until its answer was due, even if the peer hangs up, so that hanging
 * up early does not buy a faster next guess. Pure: random numbers are passed in.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hostd/source.h"

enum {
	ADMISSION_SLOTS = 256, /* no configuration goes above */
};

struct admission_limits {
	uint32_t begin; /* so many are always let in */
	uint32_t rate;  /* percent chance of dropping one at `begin`, rising to 100 at `full` */
	uint32_t full;  /* never more, 1 to ADMISSION_SLOTS */
	uint32_t per_source; /* never more from one source */
};

enum admission_state {
	ADMISSION_FREE = 0,
	ADMISSION_WAITING, /* connected, nothing known yet: may be dropped */
	ADMISSION_BUSY,    /* its name and password are being checked: not dropped */
	ADMISSION_PENALTY, /* failed, or about to be told so: not dropped, keeps its place until
			      released */
};

struct admission_slot {
	enum admission_state state;
	uint64_t id;
	uint64_t order; /* rises with every connection */
	struct source source;
};

struct admission {
	struct admission_limits limits;
	struct admission_slot slots[ADMISSION_SLOTS];
	uint64_t next_order;
};

struct admission_decision {
	bool accept;
	bool drop; /* the connection `drop_id` is to be closed; its slot is free already */
	uint64_t drop_id;
};

/*
 * Decides on a new connection with the number `id` (not in use) and, if it is accepted, gives it a
 * slot. `random` is uniform over its whole range.
 */
struct admission_decision admission_enter(
    struct admission *admission, uint64_t id, const struct source *source, uint32_t random);
/* Changes the state of a connection's slot; unknown ids are ignored (dropped already). */
void admission_mark(struct admission *admission, uint64_t id, enum admission_state state);
enum admission_state admission_state_of(const struct admission *admission, uint64_t id);
/* Frees the slot: logged in, gone, or the penalty is over. Unknown ids are ignored. */
void admission_leave(struct admission *admission, uint64_t id);
size_t admission_count(const struct admission *admission);
