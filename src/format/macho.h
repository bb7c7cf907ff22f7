// SPDX-License-Identifier: MIT
//
// Mach-O files of 32 and 64 bits in both byte orders, thin, or several as slices of a fat file:
// found by the UUID of a load command. Sources: mach-o/loader.h and mach-o/fat.h of Apple's
// published xnu and cctools; "OS X ABI Mach-O File Format Reference".
#pragma once

#include "format/identity.h"
#include "format/probe.h"

/* Reads a thin file. One without UUID is read all the same. The stated length is that of load
   commands, segments and symbol table. */
bool macho_identify(struct probe *probe, struct identity *out) MUST_CHECK;

/* Reads a fat file's slices; a slice that is no Mach-O (an archive) has no UUID. Java's class files
   begin alike: what names more slices than SLICES_MAX is none of ours. */
bool macho_identify_fat(struct probe *probe, struct identity *out) MUST_CHECK;
