// SPDX-License-Identifier: MIT
#include "source/http_fault.h"

#include <string.h>

enum error_kind http_fault_kind(CURLcode code, const struct http_answer *answer) {
    bool announced = answer->length != SIZE_UNKNOWN && !answer->chunked;
    /* Whatever libcurl does not name more closely broke off. */
    switch ((int)code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_OPERATION_TIMEDOUT: /* only connecting has a limit of libcurl's */
        return ERROR_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return ERROR_TLS;
    case CURLE_UNSUPPORTED_PROTOCOL: /* "HTTP/0.9 when not allowed" */
    case CURLE_URL_MALFORMAT:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_WRITE_ERROR:
    case CURLE_OUT_OF_MEMORY: /* what libcurl 7 says of a line over 100 KiB */
        return ERROR_STATUS;
    case CURLE_PARTIAL_FILE:
        return announced ? ERROR_LENGTH : ERROR_RESET;
    case CURLE_FAILED_INIT:
        return ERROR_SYSTEM;
    default:
        return ERROR_RESET;
    }
}

const char *http_fault_words(CURLcode code, const char *text) {
    if (code == CURLE_OUT_OF_MEMORY)
        return "a line of its head is over 100 KiB, or there is no memory left";
    return text[0] && !strchr(text, '@') ? text : curl_easy_strerror(code);
}
