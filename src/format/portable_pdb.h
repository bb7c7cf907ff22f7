// SPDX-License-Identifier: MIT
//
// Portable PDBs: .NET metadata whose stream "#Pdb" begins with an id of 20 bytes, a GUID and a
// stamp. Sources: ECMA-335 II.24.2 (metadata root and stream headers), "Portable PDB v1.0" of
// dotnet/runtime.
#pragma once

#include "format/identity.h"
#include "format/probe.h"

/* Reads a portable PDB. */
bool portable_pdb_identify(struct probe *probe, struct identity *out) MUST_CHECK;
