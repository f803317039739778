/* SPDX-License-Identifier: MIT */
/* digest.c - see digest.h.  Once a context exists SHA-256 cannot fail. */
#include "digest.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>

static_assert(sizeof(((file_digest *)0)->octets) == FILEREP_DIGEST_LEN, "the digest is SHA-256");

int digest_init(struct digest *digest)
{
    digest->context = EVP_MD_CTX_new();
    if (!digest->context)
        return ENOMEM;
    if (EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) == 1)
        return 0;
    digest_fini(digest);
    return ENOMEM;
}

void digest_update(struct digest *digest, const void *buf, size_t len)
{
    int ok = EVP_DigestUpdate(digest->context, buf, len);
    assert(ok == 1);
    (void)ok;
}

void digest_final(struct digest *digest, file_digest *ret_value)
{
    int ok = EVP_DigestFinal_ex(digest->context, ret_value->octets, NULL);
    assert(ok == 1);
    (void)ok;
}

void digest_fini(struct digest *digest)
{
    EVP_MD_CTX_free(digest->context);
    digest->context = NULL;
}
