// SPDX-License-Identifier: MIT
//
// The commands. Each gets the arguments that follow its name and returns the exit status: 0 good, 1
// failed, 2 called wrongly.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "app/config.h"

struct command {
    const char *name;
    const char *arguments; /* as in the help */
    const char *summary;
    int (*run)(int argc, char **argv);
};

/* Serves until it is told to stop. */
int cli_serve(int argc, char **argv);

/* Says what a configuration means and what is wrong with it; opens, asks and creates nothing. */
int cli_check(int argc, char **argv);

/* Has a running server forget a symbol: its absences and its files. */
int cli_forget(int argc, char **argv);

/* Prints what a running server has under way, as JSON. */
int cli_copies(int argc, char **argv);

/* Prints what a running server has refused, as JSON. */
int cli_quarantine(int argc, char **argv);

/* Checks a configuration against the world, or reads what a client has written. */
int cli_doctor(int argc, char **argv);

/* Tells why a symbol did or does not come from a running server. */
int cli_explain(int argc, char **argv);

/* Tells what the recorded traffic of a running server says should be changed, and does it. */
int cli_advise(int argc, char **argv);

/* Lists, adds and takes back the rules of a running server. */
int cli_rules(int argc, char **argv);

/* Prints the configuration's reference, as Markdown or as JSON schema. */
int cli_reference(int argc, char **argv);

/* One option with a value: "--name VALUE" or "--name=VALUE". */
struct cli_option {
    const char *name;              /* with the dashes */
    const char **value;            /* set; NULL where `list` or `flag` is used */
    struct config_text_list *list; /* appended to: may be given several times */
    bool *flag;                    /* takes no value */
};

/* Reads options; what is none goes to operands (at most operands_max, counted in *out_operands).
   False when something is unknown or incomplete; that has been told then. */
bool cli_options(int argc, char **argv, const struct cli_option *options, const char **operands,
                 unsigned operands_max, unsigned *out_operands);

/* Which configuration a command means; each may be NULL. */
struct cli_meant {
    const char *path;    /* of a file */
    const char *sympath; /* in place of a file */
    const char *data;    /* --data */
};

/* Takes the operand (may be NULL) for the file. False: more than one configuration is meant, which
   has been told. */
bool cli_mean(struct cli_meant *meant, const char *operand) MUST_CHECK;

/* Loads it, or the file that is found where none is named; NULL when there are errors. *out_name:
   by what its problems are told; NULL for the built-in default, and the caller's to free. */
struct config *cli_load(const struct cli_meant *meant, char **out_name,
                        struct config_problems *out_problems) MUST_CHECK;

/* Prints problems to standard error, notes only when asked. */
void cli_problems(const struct config_problems *problems, const char *path, bool notes);

/* Prints an error with its hint and returns 1. */
int cli_failed(const struct error *err);
