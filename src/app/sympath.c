// SPDX-License-Identifier: MIT
#include "app/sympath.h"

#include <string.h>

#include "app/paths.h"
#include "base/memory.h"
#include "base/text.h"

enum { PARTS_MAX = 16 };

/* Cuts an element at its asterisks, in place; 0 for one with too many. */
static unsigned split(char *element, char *parts[PARTS_MAX]) {
    unsigned count = 0;
    for (char *at = element; at; count++) {
        if (count == PARTS_MAX)
            return 0;
        parts[count] = at;
        at = strchr(at, '*');
        if (at)
            *at++ = '\0';
    }
    return count;
}

static void add_server(json_t *servers, const char *remote, const char *cache) {
    json_t *server = json_object();
    json_object_set_new(server, "remote", json_string(remote));
    if (cache && cache[0])
        json_object_set_new(server, "cacheLocation", json_string(cache));
    json_array_append_new(servers, server);
}

static void skip(struct config_reading *reading, const char *element, const char *why) {
    char shown[121];
    text_mask_secrets(shown, sizeof shown, element, strlen(element), true);
    config_complain(reading, PROBLEM_WARNING, "", "", "element \"%s\" is not used: %s", shown, why);
}

/* The first store of a chain is the cache of the last one; those between are asked before it. */
static void add_chain(struct config_reading *reading, json_t *servers, const char *element,
                      char *const *parts, unsigned count) {
    if (count == 0 || !parts[count - 1][0]) {
        skip(reading, element, "it names no server");
        return;
    }
    const char *cache = count > 1 ? parts[0] : NULL;
    for (unsigned i = 1; i + 1 < count; i++)
        if (parts[i][0])
            add_server(servers, parts[i], NULL);
    add_server(servers, parts[count - 1], cache);
}

static void add_cache(struct config_reading *reading, json_t *general, const char *element,
                      char *const *parts, unsigned count) {
    if (count < 2 || !parts[1][0])
        skip(reading, element,
             "without a directory it means the default cache, which is used anyway");
    else if (json_object_get(general, "cacheLocation"))
        skip(reading, element, "there is one global cache, and an earlier element names it");
    else
        json_object_set_new(general, "cacheLocation", json_string(parts[1]));
    if (count > 2)
        skip(reading, element, "behind the directory nothing counts; write srv*CACHE*SERVER");
}

static void add_element(struct config_reading *reading, json_t *general, json_t *servers,
                        char *element) {
    CLEANUP(free_block) char *whole = memory_text(element);
    CLEANUP(json_unref) json_t *proper = json_string(element);
    char *parts[PARTS_MAX];
    unsigned count = split(element, parts);
    if (!proper)
        skip(reading, whole, "it is not UTF-8");
    else if (count == 0)
        skip(reading, whole, "it has too many parts");
    else if (count == 1)
        add_server(servers, parts[0], NULL);
    else if (text_same(parts[0], "srv"))
        add_chain(reading, servers, whole, parts + 1, count - 1);
    else if (text_same(parts[0], "symsrv"))
        add_chain(reading, servers, whole, parts + 2, count > 2 ? count - 2 : 0);
    else if (text_same(parts[0], "cache"))
        add_cache(reading, general, whole, parts, count);
    else
        skip(reading, whole, "it begins with neither srv*, symsrv* nor cache*");
}

json_t *sympath_to_json(struct config_reading *reading, const char *sympath) {
    json_t *root = json_object();
    json_t *general = json_object();
    json_t *servers = json_array();
    json_object_set_new(root, "general", general);
    json_object_set_new(root, "servers", servers);
    CLEANUP(free_block) char *text = memory_text(sympath);
    char *rest = text;
    for (char *element; (element = strsep(&rest, ";"));) {
        element += strspn(element, " \t");
        for (size_t length = strlen(element); length > 0 && strchr(" \t", element[length - 1]);)
            element[--length] = '\0';
        if (element[0])
            add_element(reading, general, servers, element);
    }
    if (json_array_size(servers) == 0)
        config_complain(reading, PROBLEM_WARNING, "", "",
                        "names no server: only what lies in the cache is served");
    return root;
}
