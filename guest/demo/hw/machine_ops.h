/* The platform table of the machine. */
#pragma once

struct machine;

/* Fills in machine->platform. */
void machine_ops_init(struct machine *machine);
