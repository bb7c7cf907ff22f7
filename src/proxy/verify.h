// SPDX-License-Identifier: MIT
//
// Is a body what the key says? It is asked twice: with the first bytes, before a copy may begin,
// and at the end, before it is called whole. Until the second answer the copy is not certain and
// its readers hold the end back. Files on shelves are asked the same (proxy/ vetter.h).
//
// What must be equal: GUID, the age at least the one asked for (stores serve updated PDBs for lower
// ages); time stamp and size of a PE; build id; a Mach-O's UUID; the MODULE line's id. What
// carries another identity by design (the CLR's debugging libraries under the runtime's id: SSQP
// CLR private key conventions) must be sound and of the right family. Not checked are sha1 keys,
// and files of kinds that are not known here.
#pragma once

#include "format/view.h"
#include "store/staging.h"
#include "symbol/content.h"
#include "symbol/question.h"

/* With the first bytes (CONTENT_LOOK_BYTES, or what there is of a body that is shorter or comes
 * slowly). */
bool verify_first(const struct symbol_key *key, const struct content *content, const void *bytes,
                  size_t length, struct error *err) MUST_CHECK;

/* Is what begins so an archive of what was asked for, rather than the thing itself? */
bool verify_packed(const struct symbol_key *key, enum form form, const void *first, size_t length);

/* With the whole body: ERROR_LENGTH when its own structure says that it is cut, ERROR_IDENTITY when
   it is another symbol, ERROR_DISK when it could not be read back. `announced`: its length was
   announced and met, which is believed for PE files (stores hold some without their signature). */
bool verify_whole(const struct symbol_key *key, const struct staging *staging, bool announced,
                  struct error *err) MUST_CHECK;

/* The same for bytes wherever they lie. May block as the view does. */
bool verify_view(const struct symbol_key *key, const struct view *view, bool announced,
                 struct error *err) MUST_CHECK;

/* The same for a file that lies somewhere; the descriptor stays the caller's. May block. */
bool verify_file(const struct symbol_key *key, int fd, uint64_t size, struct error *err) MUST_CHECK;
