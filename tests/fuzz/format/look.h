// SPDX-License-Identifier: MIT
//
// What must hold of every family's parser, whatever the bytes.
#pragma once

#include "format/identity.h"
#include "format/probe.h"

/* Lets a family's parser read the bytes, with and without a place for the error, and with a read
 * that fails; looks at them as a whole file, too. Aborts on a contradiction. */
void look_at(const uint8_t *bytes, size_t length,
             bool (*read)(struct probe *probe, struct identity *out));
