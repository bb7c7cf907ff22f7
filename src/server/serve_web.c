// SPDX-License-Identifier: MIT
//
// The page's files: "/web/<digest>/<name>". The digest changes with any of them, so a browser never
// has to ask again; under another digest there is nothing.
#include <string.h>

#include "base/text.h"
#include "server/exchange.h"
#include "server/internal.h"
#include "server/web.h"

static const struct web_file *find(const char *path, size_t length) {
    const char *folder = web_folder + strlen("/web/");
    size_t skip = strlen(folder);
    if (length <= skip || memcmp(path, folder, skip) != 0)
        return NULL;
    path += skip;
    length -= skip;
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
