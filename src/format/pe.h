// SPDX-License-Identifier: MIT
//
// PE images (exe, dll, sys, …) and the .dbg files that were split off from them: both are found by
// the image's time stamp and size. Sources: "PE Format" of the Windows documentation;
// IMAGE_SEPARATE_DEBUG_HEADER of the Windows SDK (winnt.h).
#pragma once

#include "format/identity.h"
#include "format/probe.h"

/* Reads a PE image. A program that has only a DOS part, or another new header than PE's, is none of
 * ours. The stated length is that of headers, sections and certificates. */
bool pe_identify(struct probe *probe, struct identity *out) MUST_CHECK;

/* Reads a .dbg file. Its magic is two letters, so what does not fit together is none of ours. */
bool pe_identify_debug(struct probe *probe, struct identity *out) MUST_CHECK;
