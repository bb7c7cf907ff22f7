// SPDX-License-Identifier: MIT
//
// MSFZ ("PDZ"): a PDB's streams in a container that packs them. As in a PDB, stream 1 holds GUID
// and age, and stream 3 the age that counts; only their first bytes are unpacked. Source: "MSFZ
// Container Specification", version 0, of microsoft/pdb-rs.
#pragma once

#include "format/identity.h"
#include "format/probe.h"

#define MSFZ_MAGIC                                                                                 \
    "Microsoft MSFZ Container\r\n\x1a"                                                             \
    "ALD\0"

/* Reads an MSFZ. The stated length is that of header, stream directory, chunk table and chunks, and
   of the fragments of the first four streams that are not packed. */
bool msfz_identify(struct probe *probe, struct identity *out) MUST_CHECK;
