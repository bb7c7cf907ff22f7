// SPDX-License-Identifier: MIT
//
// The page's files: "/web/<digest>/<name>". The digest changes with any of them, so a browser never
// has to ask again; under another digest there is nothing.
#include <string.h>

#include "base/text.h"
#include "server/exchange.h"
#include "server/internal.h"
#include "server/web.h"

enum { FOLDER_BYTES = 64 };

const char *web_folder(void) {
    static _Thread_local char folder[FOLDER_BYTES];
    text_format(folder, sizeof folder, "/web/%s/", web_digest);
    return folder;
}

static const struct web_file *find(const char *path, size_t length) {
    size_t digest = strlen(web_digest);
    if (length <= digest || memcmp(path, web_digest, digest) != 0 || path[digest] != '/')
        return NULL;
    path += digest + 1;
    length -= digest + 1;
    for (const struct web_file *file = web_files; file->name; file++)
        if (strlen(file->name) == length && memcmp(file->name, path, length) == 0)
            return file;
    return NULL;
}

void serve_web(struct exchange *exchange, const char *path, size_t length) {
    const struct web_file *file = find(path, length);
    if (!file) {
        text_copy(exchange->reason, sizeof exchange->reason,
                  "there is no such file of the page; load it anew");
        answer_text(exchange, 404, "text/plain; charset=utf-8", exchange->reason);
        return;
    }
    buffer_append(&exchange->text, file->bytes, file->length);
    answer_document(exchange, file->type, "public, max-age=31536000, immutable");
}
