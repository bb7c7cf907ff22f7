// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/cli.h"

static const struct command commands[] = {
    {"serve", "[--config FILE | --sympath PATH] [--listen ADDRESS:PORT]… [--data DIR]",
     "serves symbols, in the foreground", cli_serve},
    {"check", "[--strict] [FILE | --sympath PATH] [--data DIR]",
     "checks a configuration; starts nothing and asks nobody", cli_check},
    {"forget", "NAME/ID [--url URL | --data DIR] [--token TOKEN]",
     "forgets a symbol: its cached file, and who said no to it", cli_forget},
    {"copies", "[--url URL | --data DIR] [--token TOKEN]",
     "lists what is searched for and arriving", cli_copies},
    {"quarantine", "[--url URL | --data DIR] [--token TOKEN]",
     "lists the bodies that were refused, with their first bytes", cli_quarantine},
    {"doctor", "[--symbol NAME/ID] [--json] [FILE | --sympath PATH] [--data DIR] | --log FILE",
     "checks a configuration against the world: servers, disks, ports; or reads a client's log",
     cli_doctor},
    {"explain", "NAME/ID | PATH | REQUEST-ID [--ask] [--json] [--url URL | --data DIR]",
     "tells why a symbol did or does not come, and what to do; --ask has it asked for now",
     cli_explain},
    {"advise", "[--apply ID] [--json] [--url URL | --data DIR] [--token TOKEN]",
     "tells what recorded traffic says should be changed; --apply does it", cli_advise},
    {"rules",
     "[list | add LIST VALUE [--server ID] [--comment TEXT] | undo NUMBER | export] [--url URL]",
     "lists, adds and takes back filters and settings that count at once", cli_rules},
    {"reference", "--markdown | --schema", "prints the configuration's reference or JSON schema",
     cli_reference},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static int usage(FILE *out) {
    fputs("symgate: one address in front of many symbol servers\n\n", out);
    for (unsigned i = 0; i < COMMANDS; i++)
        fprintf(out, "  symgate %s %s\n      %s\n", commands[i].name, commands[i].arguments,
                commands[i].summary);
    fputs("  symgate --version\n  symgate --help\n\n"
          "Without a file, serve and check take the first that is there of\n"
          "../config/pysymproxy.json, ./config/pysymproxy.json,\n"
          "./config/default.pysymproxy.json and /etc/symgate/symgate.json; else the built-in\n"
          "default: the folder \"store\" below DIR, vendors, then Microsoft.\n\n"
          "forget, copies, quarantine, explain, advise and rules ask the server that runs on DIR,\n"
          "or the one at URL. SIGHUP has a server read its configuration again; SIGTERM ends it.\n"
          "More: man symgate.\n",
          out);
    return out == stdout ? 0 : 2;
}

/* Who starts it with these closed would have it write its lines into the first files that it opens.
 */
static void open_standard_descriptors(void) {
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv) {
    open_standard_descriptors();
    if (argc < 2)
        return usage(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0)
        return usage(stdout);
    if (strcmp(argv[1], "--version") == 0) {
        puts("symgate " SYMGATE_VERSION);
        return 0;
    }
    for (unsigned i = 0; i < COMMANDS; i++) {
        bool asks_help = argc > 2 && strcmp(argv[2], "--help") == 0;
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        if (asks_help)
            return usage(stdout);
        return commands[i].run(argc - 2, argv + 2);
    }
    fprintf(stderr, "symgate: unknown command \"%s\"\n\n", argv[1]);
    return usage(stderr);
}
