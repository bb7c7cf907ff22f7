// SPDX-License-Identifier: MIT
#include "app/config_needless.h"

#include "app/config.h"
#include "app/parameter.h"
#include "base/text.h"

enum { KEY_BYTES = 64 };

static bool says_something(const json_t *value) {
    return !json_is_null(value) && !json_is_false(value) &&
           (!json_is_string(value) || json_string_length(value) > 0) &&
           (!json_is_array(value) || json_array_size(value) > 0) &&
           (!json_is_object(value) || json_object_size(value) > 0);
}

unsigned config_remote_of(const struct config_server *server) {
    return server->share ? REMOTE_SHARE : server->directory ? REMOTE_DIRECTORY : REMOTE_URL;
}

void config_warn_of_needless(struct config_reading *reading, const struct config_server *server,
                             const char *prefix, json_t *json) {
    const char *told = server->share       ? "has no effect: the remote is a share"
                       : server->directory ? "has no effect: the remote is a directory"
                                           : "has no effect: the remote is a URL";
    unsigned remote = config_remote_of(server);
    const char *name;
    const json_t *value;
    json_object_foreach(json, name, value) {
        const struct parameter *parameter = parameter_find(SECTION_SERVER, name);
        if (!parameter || !parameter->remotes || parameter->remotes & remote ||
            !says_something(value))
            continue;
        char key[KEY_BYTES];
        text_format(key, sizeof key, "%s.%s", prefix, name);
        config_complain(reading, PROBLEM_WARNING, key, "Delete it.", "%s", told);
    }
}
