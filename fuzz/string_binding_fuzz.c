/* SPDX-License-Identifier: MIT */
/* string_binding_fuzz.c - any text: parse must not crash, and what it accepts must
 * come back equal through format and parse. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "runtime/string_binding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must_equal(const char *a, const char *b)
{
    if (strcmp(a, b) != 0)
        abort();
}

static void check_round_trip(const struct string_binding *binding)
{
    char *text;
    struct string_binding again;
    if (string_binding_format(binding, &text) != RPC_S_OK)
        abort();
    if (string_binding_parse(text, &again) != RPC_S_OK)
        abort();
    must_equal(again.object, binding->object);
    must_equal(again.protseq, binding->protseq);
    must_equal(again.address, binding->address);
    must_equal(again.endpoint, binding->endpoint);
    must_equal(again.options, binding->options);
    string_binding_fini(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *text = malloc(len + 1);
    if (!text)
        return 0;
    if (len > 0)
        memcpy(text, data, len);
    text[len] = '\0';
    struct string_binding binding;
    if (string_binding_parse(text, &binding) == RPC_S_OK) {
        check_round_trip(&binding);
        string_binding_fini(&binding);
    }
    free(text);
    return 0;
}
