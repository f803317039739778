/* SPDX-License-Identifier: MIT */
/* digest.h - SHA-256 of octets as they pass by (OpenSSL's libcrypto does the work). */
#ifndef FILEREP_DIGEST_H
#define FILEREP_DIGEST_H

#include "filerep.h"

#include <stddef.h>

struct digest {
    struct evp_md_ctx_st *context;
};

int digest_init(struct digest *digest); /* 0 or ENOMEM */
void digest_update(struct digest *digest, const void *buf, size_t len);
void digest_final(struct digest *digest, file_digest *ret_value);
void digest_fini(struct digest *digest);

#endif
