// SPDX-License-Identifier: MIT
//
// ELF files of 32 and 64 bits in both byte orders, images as well as the debug files split off from
// them: found by the build id, a note. Sections are looked at first, since a debug file keeps the
// program headers of its image, whose offsets lead nowhere in it; then PT_NOTE segments. Sources:
// System V gABI ("Object Files", "Note Section"), the GNU linker's --build-id, elf.h of glibc.
#pragma once

#include "format/identity.h"
#include "format/probe.h"

/* Reads an ELF file. One without build id is read all the same. The stated length is that of the
   headers' tables and of the sections, or, without sections, of the segments. */
bool elf_identify(struct probe *probe, struct identity *out) MUST_CHECK;
