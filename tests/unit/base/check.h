// SPDX-License-Identifier: MIT
//
// cmocka with the headers that it wants before itself, and two words that are needed everywhere.
#pragma once

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))
#define RUN_TESTS(tests) cmocka_run_group_tests(tests, NULL, NULL)
