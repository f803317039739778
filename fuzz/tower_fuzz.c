/* SPDX-License-Identifier: MIT */
/* tower_fuzz.c - any octets: decoding must not read past them, and what it accepts comes back
 * equal through encode and decode. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/tower.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool good)
{
    if (!good)
        abort();
}

/* Of a known kind everything is in the structure, but for the version of the protocol. */
static void check_round_trip(const struct tower *tower)
{
    uint8_t buf[TOWER_LEN_MAX];
    struct tower again;
    size_t len = tower_encode(buf, sizeof(buf), tower);
    if (len == 0) { /* names without a NUL of their own grow by one each */
        must(strlen(tower->endpoint) + strlen(tower->host) > TOWER_LEN_MAX / 2);
        return;
    }
    must(tower_decode(buf, len, &again));
    must(again.kind == tower->kind && again.port == tower->port);
    must(pdu_syntax_equal(&again.interface_id, &tower->interface_id));
    must(pdu_syntax_equal(&again.transfer, &tower->transfer));
    must(memcmp(again.address, tower->address, sizeof(again.address)) == 0);
    must(strcmp(again.endpoint, tower->endpoint) == 0 && strcmp(again.host, tower->host) == 0);
    must(tower_same_protocols(&again, tower));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct tower tower;
    char text[TOWER_TEXT_SIZE];
    uint8_t *copy = malloc(len > 0 ? len : 1);
    if (!copy)
        return 0;
    if (len > 0)
        memcpy(copy, data, len);
    must(tower_address_offset(copy, len) <= len);
    if (tower_decode(copy, len, &tower)) {
        must(strlen(tower_print(&tower, text, sizeof(text))) < sizeof(text));
        if (tower.kind != TOWER_OTHER)
            check_round_trip(&tower);
    }
    free(copy);
    return 0;
}
