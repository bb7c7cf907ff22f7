// SPDX-License-Identifier: MIT
#include "symbol/question.h"

bool question_same(const struct question *a, const struct question *b) {
    return spelling_equal(&a->spelling, &b->spelling);
}
