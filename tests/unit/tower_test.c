/* SPDX-License-Identifier: MIT */
/* tower_test.c - towers of the endpoint mapper: the octets of wire.md 10.5, and hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "vectors.h"
#include "wire/tower.h"

static const struct pdu_syntax interface_id = {
    {0xa7c1e5d0, 0x3b52, 0x4f6e, {0x9d, 0x18, 0x5c, 0x0b, 0x7e, 0x2f, 0x4a, 0x91}}, 1, 2};

static const struct {
    const char *vector;
    struct tower tower;
    const char *endpoint, *text;
} samples[] = {
    {"t1_tower_tcp",
     {.kind = TOWER_TCP, .port = 135},
     "135",
     "a7c1e5d0-3b52-4f6e-9d18-5c0b7e2f4a91 v1.0 ncacn_ip_tcp:0.0.0.0[135]"},
    {"t2_tower_pipe",
     {.kind = TOWER_PIPE, .endpoint = "\\pipe\\demo", .host = "\\\\HOST"},
     "\\pipe\\demo",
     "a7c1e5d0-3b52-4f6e-9d18-5c0b7e2f4a91 v1.0 ncacn_np:\\\\HOST[\\pipe\\demo]"},
    {"t3_tower_local",
     {.kind = TOWER_LOCAL, .endpoint = "demo_lrpc"},
     "demo_lrpc",
     "a7c1e5d0-3b52-4f6e-9d18-5c0b7e2f4a91 v1.0 ncalrpc:[demo_lrpc]"},
    {"t4_tower_http",
     {.kind = TOWER_HTTP, .port = 593, .address = {192, 0, 2, 7}},
     "593",
     "a7c1e5d0-3b52-4f6e-9d18-5c0b7e2f4a91 v1.0 ncacn_http:192.0.2.7[593]"},
};
#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

static struct tower sample(size_t i)
{
    struct tower tower = samples[i].tower;
    tower.interface_id = interface_id;
    tower.interface_id.minor = 0;
    tower.transfer = pdu_syntax_ndr;
    tower.endpoint = tower.endpoint ? tower.endpoint : "";
    tower.host = tower.host ? tower.host : "";
    return tower;
}

static void a_vectors_decode(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct vector v = vector_load(samples[i].vector);
        struct tower got, wanted = sample(i);
        char text[TOWER_TEXT_SIZE];
        assert_true(tower_decode(v.octets, v.len, &got));
        assert_int_equal(got.kind, wanted.kind);
        assert_true(pdu_syntax_equal(&got.interface_id, &wanted.interface_id));
        assert_true(pdu_syntax_equal(&got.transfer, &pdu_syntax_ndr));
        assert_int_equal(got.port, wanted.port);
        assert_memory_equal(got.address, wanted.address, 4);
        assert_string_equal(got.endpoint, wanted.endpoint);
        assert_string_equal(got.host, wanted.host);
        tower_endpoint(&got, text, sizeof(text));
        assert_string_equal(text, samples[i].endpoint);
        assert_string_equal(tower_print(&got, text, sizeof(text)), samples[i].text);
        assert_int_equal(tower_kind_of(tower_protseq(got.kind)), got.kind);
    }
    assert_int_equal(tower_kind_of("ncacn_spx"), TOWER_OTHER);
    assert_null(tower_protseq(TOWER_OTHER));
}

static void a_vectors_encode(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct vector v = vector_load(samples[i].vector);
        struct tower tower = sample(i);
        uint8_t buf[512];
        assert_int_equal(tower_encode(buf, sizeof(buf), &tower), v.len);
        assert_memory_equal(buf, v.octets, v.len);
        for (size_t cap = 0; cap < v.len; cap++)
            assert_int_equal(tower_encode(buf, cap, &tower), 0);
    }
}

static void b_every_prefix_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct vector v = vector_load(samples[i].vector);
        struct tower got;
        for (size_t len = 0; len < v.len; len++) {
            uint8_t *copy = exact_copy(v.octets, len);
            assert_false(tower_decode(copy, len, &got));
            assert_true(tower_address_offset(copy, len) <= len);
            free(copy);
        }
        v.octets[v.len] = 0; /* and an octet too many */
        assert_false(tower_decode(v.octets, v.len + 1, &got));
    }
}

/* Every octet at its extremes, and every length with them. */
static void b_hostile_octets(void **state)
{
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct vector v = vector_load(samples[i].vector);
        for (size_t at = 0; at < v.len; at++)
            for (size_t n = 0; n < sizeof(values); n++) {
                uint8_t *copy = exact_copy(v.octets, v.len);
                char text[TOWER_TEXT_SIZE];
                struct tower got;
                copy[at] = values[n];
                if (tower_decode(copy, v.len, &got))
                    tower_print(&got, text, sizeof(text));
                free(copy);
            }
    }
}

static void b_floors(void **state)
{
    struct vector v = vector_load("t1_tower_tcp");
    struct tower got;
    (void)state;
    v.octets[0] = 7; /* more than there are, and than are taken */
    assert_false(tower_decode(v.octets, v.len, &got));
    v.octets[0] = 4; /* the last one is left over */
    assert_false(tower_decode(v.octets, v.len, &got));
    v = vector_load("t1_tower_tcp");
    v.octets[4] = 0x0c; /* floor 1 is no interface */
    assert_false(tower_decode(v.octets, v.len, &got));
}

/* Protocols nobody here knows: the mapper stores and compares them all the same. */
static void b_other_protocols(void **state)
{
    struct vector v = vector_load("t1_tower_tcp");
    struct tower tcp, got;
    uint8_t buf[100];
    (void)state;
    assert_true(tower_decode(v.octets, v.len, &tcp));
    assert_int_equal(v.octets[54], 0x0b);
    v.octets[54] = 0x55;
    assert_true(tower_decode(v.octets, v.len, &got));
    assert_int_equal(got.kind, TOWER_OTHER);
    assert_false(tower_same_protocols(&tcp, &got));
    assert_true(tower_same_protocols(&got, &got));
    assert_int_equal(tower_encode(buf, sizeof(buf), &got), 0);
}

static void b_names(void **state)
{
    static char name[TOWER_LEN_MAX + 10];
    uint8_t buf[TOWER_LEN_MAX];
    struct tower tower = sample(2), got;
    struct vector v = vector_load("t3_tower_local");
    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    tower.endpoint = name;
    assert_int_equal(tower_encode(buf, sizeof(buf), &tower), 0);
    name[TOWER_LEN_MAX - 65] = '\0'; /* with the rest of the tower exactly as long as it may be */
    assert_int_equal(tower_encode(buf, sizeof(buf), &tower), TOWER_LEN_MAX);
    assert_true(tower_decode(buf, TOWER_LEN_MAX, &got));
    assert_string_equal(got.endpoint, name);
    v.octets[v.len - 1] = 'x'; /* no NUL */
    assert_false(tower_decode(v.octets, v.len, &got));
    v.octets[v.len - 1] = v.octets[v.len - 3] = 0; /* one in the middle, too */
    assert_false(tower_decode(v.octets, v.len, &got));
}

static void b_address_offset(void **state)
{
    struct vector v = vector_load("t4_tower_http");
    (void)state;
    assert_int_equal(tower_address_offset(v.octets, v.len), v.len - 4);
    v = vector_load("t3_tower_local");
    assert_int_equal(tower_address_offset(v.octets, v.len), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vectors_decode),        cmocka_unit_test(a_vectors_encode),
        cmocka_unit_test(b_every_prefix_is_refused), cmocka_unit_test(b_hostile_octets),
        cmocka_unit_test(b_floors),                cmocka_unit_test(b_other_protocols),
        cmocka_unit_test(b_names),                 cmocka_unit_test(b_address_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
