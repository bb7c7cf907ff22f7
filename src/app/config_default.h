// SPDX-License-Identifier: MIT
//
// The configuration that is in force where nobody has written one: a folder where files may be
// dropped, the vendors of what most machines run, and Microsoft. Names leave the house for
// Microsoft only; the others are asked for names of their own alone, and not at all where the way
// there is not encrypted.
#pragma once

/* Its text, with `data` as the data folder. The caller frees. */
char *config_default_text(const char *data);
