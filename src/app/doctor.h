// SPDX-License-Identifier: MIT
//
// The doctor: is the world as a configuration takes it to be? Looks at this machine (folders,
// disks, ports, limits) and asks each server, and nobody that the configuration does not name, but
// where its servers redirect to. Keeps no lock, needs no server that runs, creates and keeps
// nothing.
#pragma once

#include "app/config.h"
#include "app/report.h"
#include "proxy/checkup.h"

/* Puts the rules of the data folder into the configuration, as the server does. False: they cannot
   be read, which is reported, and nobody is to be asked: a rule may keep names from servers. */
bool doctor_rules(struct config *config, struct report *report) MUST_CHECK;

/* Looks at this machine; in the caches also at the place of a file, where one is `known`. */
void doctor_places(const struct config *config, const struct question *known,
                   struct report *report);

/* Asks every server, all at once, and each for at most 15 s. `known`: a file that all servers
   should have, or NULL: then the last one that each has delivered, as far as the statistics tell.
   Takes the patterns out of the configuration. False: no source could be made, err says why. */
bool doctor_servers(struct config *config, const struct question *known, struct report *report,
                    struct error *err) MUST_CHECK;
