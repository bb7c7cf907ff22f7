// SPDX-License-Identifier: MIT
//
// Any bytes as a client's log or symbol path: something is always said, in texts that end, and
// never more than so much.
#include "app/client_log.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { FINDINGS_MOST = 600 };

static void require(bool right) {
    if (!right)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    struct report report = {0};
    client_log_read((const char *)bytes, length, &report);
    require(report.count <= FINDINGS_MOST);
    for (unsigned i = 0; i < report.count; i++) {
        const struct finding *finding = &report.list[i];
        require(finding->name[0] && finding->sentence[0]);
        require(strlen(finding->thing) < sizeof finding->thing);
    }
    report_release(&report);
    return 0;
}
