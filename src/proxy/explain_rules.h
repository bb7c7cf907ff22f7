// SPDX-License-Identifier: MIT
//
// What of an explanation comes from rules that were made while symgate runs, and not from the
// configuration: they are taken back by their number.
#pragma once

#include "proxy/explain.h"
#include "proxy/rules.h"

/* The rule that keeps the name from one explained server, or, with NULL, from all. False: none
   does; it is the configuration's word, or nothing is kept. rules may be NULL. */
bool explain_rule(struct rules *rules, const struct explanation *now,
                  const struct explained_server *server, struct rule *out_rule) MUST_CHECK;

/* Has the cures of an explanation take such rules back. */
void explain_rule_cures(struct rules *rules, const struct policy *policy, struct explanation *now);
