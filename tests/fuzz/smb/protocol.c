// SPDX-License-Identifier: MIT
//
// Messages between symgate and its helper, of either side: what is read must be written again byte
// for byte.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "smb/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_failed(const struct smb_message *message) {
    struct error err = {0};
    smb_failed_read(&message->failed, &err);
    if (err.kind == ERROR_NONE || err.kind >= ERROR_KIND_COUNT)
        abort();
    struct smb_message again;
    smb_failed_write(&err, &again);
    if (strcmp(again.failed.what, message->failed.what) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    struct smb_head head;
    struct smb_message message;
    while (length >= SMB_HEAD_BYTES && smb_head_read(bytes, &head) &&
           head.length <= length - SMB_HEAD_BYTES) {
        unsigned char again[SMB_HEAD_BYTES + SMB_FIELDS_BYTES_MAX];
        size_t whole = SMB_HEAD_BYTES + head.length;
        bool foreign = head.type == SMB_DATA;
        if (!foreign && smb_message_read(&head, bytes + SMB_HEAD_BYTES, &message)) {
            foreign = head.type == SMB_CONNECT && message.connect.version != SMB_VERSION;
            if (!foreign &&
                (smb_message_write(&message, again) != whole || memcmp(again, bytes, whole) != 0))
                abort();
            if (head.type == SMB_FAILED)
                check_failed(&message);
        }
        bytes += whole;
        length -= whole;
    }
    return 0;
}
