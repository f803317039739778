/* SPDX-License-Identifier: MIT */
/* eerr_test.c - extended error information: octets, chains, and what goes wrong with both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <uchar.h>

#include <cmocka.h>

#include <penstock/rpcnterr.h>

#include "alloc_shim.h"
#include "random.h"
#include "runtime/error_info.h"
#include "wire/eerr.h"

static const char16_t name[] = u"HOST", text[] = u"where";

/* All kinds of parameters in two records. */
static const struct eerr_record full = {
    .has_name = true,
    .name = {name, 5},
    .pid = 4711,
    .time = 0x01d9123456789abc,
    .component = 2,
    .status = 1722,
    .location = 311,
    .param_count = 4,
    .params = {{.type = EERR_UNICODE, .text = {text, 6}},
               {.type = EERR_LONG, .number = -5},
               {.type = EERR_ANSI, .text = {"ansi", 5}},
               {.type = EERR_POINTER, .number = 0x1122334455667788}},
};
static const struct eerr_record other = {
    .pid = 1,
    .component = 1,
    .status = 5,
    .flags = EERR_PREVIOUS_MISSING,
    .param_count = 4,
    .params = {{.type = EERR_NONE},
               {.type = EERR_SHORT, .number = -3},
               {.type = EERR_BINARY, .text = {"\1\2\3", 3}},
               {.type = EERR_BINARY}},
};
static const struct eerr_record bare = {.status = 14};

static void check_text(const struct eerr_text *a, const struct eerr_text *b, size_t unit)
{
    assert_int_equal(a->count, b->count);
    if (a->count > 0)
        assert_memory_equal(a->units, b->units, a->count * unit);
}

static void check_record(const struct eerr_record *a, const struct eerr_record *b)
{
    assert_int_equal(a->has_name, b->has_name);
    if (a->has_name)
        check_text(&a->name, &b->name, 2);
    assert_int_equal(a->pid, b->pid);
    assert_int_equal(a->time, b->time);
    assert_int_equal(a->component, b->component);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->location, b->location);
    assert_int_equal(a->param_count, b->param_count);
    for (unsigned i = 0; i < a->param_count; i++) {
        assert_int_equal(a->params[i].type, b->params[i].type);
        assert_int_equal(a->params[i].number, b->params[i].number);
        if (a->params[i].type == EERR_ANSI || a->params[i].type == EERR_BINARY)
            check_text(&a->params[i].text, &b->params[i].text, 1);
        if (a->params[i].type == EERR_UNICODE)
            check_text(&a->params[i].text, &b->params[i].text, 2);
    }
}

static size_t encode_all(uint8_t *buf, size_t cap, unsigned without)
{
    const struct eerr_record *const records[] = {&full, &other, &bare};
    return eerr_encode(buf, cap, records, 3, without);
}

static void a_there_and_back(void **state)
{
    uint8_t buf[1024];
    struct eerr_record got[3];
    size_t count;
    bool swapped;
    (void)state;
    size_t len = encode_all(buf, sizeof(buf), 0);
    assert_true(len > 0 && len % 8 == 0);
    assert_true(eerr_decode(buf, len, got, 3, &count, &swapped));
    assert_int_equal(count, 3);
    assert_false(swapped);
    check_record(&got[0], &full);
    check_record(&got[1], &other);
    check_record(&got[2], &bare);
    assert_int_equal(got[1].flags, EERR_PREVIOUS_MISSING);
    assert_false(eerr_decode(buf, len, got, 2, &count, &swapped)); /* more than is wanted */
}

/* What is written does not depend on the room, and nothing is written past it. */
static void b_every_room(void **state)
{
    uint8_t whole[1024];
    (void)state;
    size_t len = encode_all(whole, sizeof(whole), 0);
    for (size_t cap = 0; cap <= len; cap++) {
        uint8_t *exact = malloc(cap ? cap : 1);
        assert_int_equal(encode_all(exact, cap, 0), cap < len ? 0 : len);
        if (cap == len)
            assert_memory_equal(exact, whole, len);
        free(exact);
    }
}

static void b_left_out(void **state)
{
    uint8_t buf[1024];
    struct eerr_record got[3];
    size_t count;
    bool swapped;
    (void)state;
    size_t len = encode_all(buf, sizeof(buf), EERR_WITHOUT_STRINGS | EERR_GAP);
    assert_true(eerr_decode(buf, len, got, 3, &count, &swapped));
    assert_false(got[0].has_name);
    assert_int_equal(got[0].params[0].type, EERR_NONE);
    assert_int_equal(got[0].params[1].number, -5);
    assert_int_equal(got[0].params[2].type, EERR_NONE);
    assert_int_equal(got[0].flags, 0);
    assert_int_equal(got[1].flags, EERR_PREVIOUS_MISSING | EERR_NEXT_MISSING);
    assert_int_equal(got[2].flags, EERR_PREVIOUS_MISSING);
}

/* Every prefix is refused and no octet past it is touched; with its own length corrected,
 * too. */
static void c_prefixes(void **state)
{
    uint8_t whole[1024];
    struct eerr_record got[3];
    size_t count;
    bool swapped;
    (void)state;
    size_t len = encode_all(whole, sizeof(whole), 0);
    for (size_t n = 0; n < len; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        memcpy(exact, whole, n);
        assert_false(eerr_decode(exact, n, got, 3, &count, &swapped));
        if (n >= 16) {
            const uint32_t object_len = (uint32_t)n - 16;
            memcpy(exact + 8, &object_len, sizeof(object_len));
            /* Only the padding at the end may be missing. */
            if (eerr_decode(exact, n, got, 3, &count, &swapped))
                assert_true(len - n < 8);
        }
        free(exact);
    }
}

/* Whatever octets say, strings lie inside them. */
static void check_inside(const struct eerr_text *t, size_t unit, const uint8_t *octets, size_t len)
{
    const uint8_t *units = t->units;
    if (units && t->count > 0)
        assert_true(units >= octets && units + t->count * unit <= octets + len);
}

static void c_damage(void **state)
{
    uint8_t whole[1024];
    uint64_t seed = 1;
    (void)state;
    size_t len = encode_all(whole, sizeof(whole), 0);
    for (size_t i = 0; i < len * 8 + 20000; i++) {
        struct eerr_record got[8];
        size_t count;
        bool swapped;
        uint8_t *exact = malloc(len);
        memcpy(exact, whole, len);
        if (i < len * 8)
            exact[i / 8] ^= (uint8_t)(1u << i % 8);
        for (unsigned k = 0; i >= len * 8 && k < 4; k++)
            exact[random_below(&seed, (uint32_t)len)] = (uint8_t)random_next(&seed);
        if (eerr_decode(exact, len, got, 8, &count, &swapped)) {
            assert_true(count >= 1 && count <= 8);
            for (size_t r = 0; r < count; r++) {
                if (got[r].has_name)
                    check_inside(&got[r].name, 2, exact, len);
                for (unsigned p = 0; p < got[r].param_count; p++)
                    check_inside(&got[r].params[p].text,
                                 got[r].params[p].type == EERR_UNICODE ? 2 : 1, exact, len);
            }
        }
        free(exact);
    }
}

/* ---- Chains ------------------------------------------------------------------------- */

static void d_chain(void **state)
{
    uint8_t buf[1024];
    (void)state;
    struct error_record *head = error_push(NULL, &other, false);
    head = error_push(head, &full, false);
    assert_int_equal(head->count, 2);
    check_record(&head->info, &full);
    assert_ptr_not_equal(head->info.name.units, name);
    size_t len = error_encode(head, buf, sizeof(buf));
    struct error_record *back = error_decode(buf, len);
    assert_int_equal(back->count, 2);
    check_record(&back->info, &full);
    check_record(&back->next->info, &other);
    /* Chains share their ends. */
    struct error_record *longer = error_push(error_get(back), &bare, false);
    error_put(back);
    check_record(&longer->next->info, &full);
    error_put(longer);
    error_put(head);
    assert_int_equal(alloc_live, 0);
}

/* Shorter and shorter rooms lose records from the last but one on, then strings. */
static void d_no_room(void **state)
{
    uint8_t buf[4096];
    struct error_record *head = NULL;
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        struct eerr_record record = full;
        record.status = i;
        head = error_push(head, &record, false);
    }
    size_t before = 11;
    for (size_t cap = sizeof(buf); cap > 0; cap -= 8) {
        size_t len = error_encode(head, buf, cap);
        assert_true(len <= cap);
        if (len == 0)
            break;
        struct error_record *back = error_decode(buf, len), *last = back;
        assert_non_null(back);
        assert_true(back->count <= before);
        before = back->count;
        assert_int_equal(back->info.status, 9);
        while (last->next)
            last = last->next;
        assert_int_equal(last->info.status, 0);
        assert_int_equal(last->info.flags, back->count < 10 ? EERR_PREVIOUS_MISSING : 0);
        error_put(back);
    }
    assert_int_equal(before, 2);
    error_put(head);
    assert_int_equal(alloc_live, 0);
}

/* More records than a chain that is sent has. */
static void d_long_chain(void **state)
{
    static uint8_t buf[65536];
    struct error_record *head = NULL;
    (void)state;
    for (unsigned i = 0; i < LIMIT_ERROR_RECORDS + 10; i++) {
        struct eerr_record record = bare;
        record.status = i;
        head = error_push(head, &record, false);
    }
    size_t len = error_encode(head, buf, sizeof(buf));
    struct error_record *back = error_decode(buf, len), *last = back;
    assert_int_equal(back->count, LIMIT_ERROR_RECORDS);
    while (last->next)
        last = last->next;
    assert_int_equal(last->info.status, 0);
    assert_int_equal(last->info.flags, EERR_PREVIOUS_MISSING);
    error_put(back);
    error_put(head);
}

/* Without memory records are missing, nothing else; a chain is loaded whole or not at all. */
static void d_no_memory(void **state)
{
    uint8_t buf[1024];
    (void)state;
    size_t len = encode_all(buf, sizeof(buf), 0);
    for (long n = 0;; n++) {
        struct error_record *head = NULL;
        alloc_fail_at(n);
        RPC_STATUS status = error_load(buf, len, &head);
        bool failed = alloc_failed();
        alloc_fail_at(-1);
        assert_int_equal(status, failed ? RPC_S_OUT_OF_MEMORY : RPC_S_OK);
        if (!failed)
            assert_int_equal(head->count, 3);
        error_put(head);
        assert_int_equal(alloc_live, 0);
        if (!failed)
            break;
    }
    const struct error_arg arg = ERROR_TEXT("text");
    struct error_record *head = error_push(NULL, &bare, false);
    alloc_fail_at(0);
    assert_ptr_equal(error_note(head, 1, 2, 3, 1, &arg), head);
    alloc_fail_at(-1);
    error_put(head);
    assert_int_equal(alloc_live, 0);
}

/* Texts of any length are cut, not torn. */
static void e_long_text(void **state)
{
    char long_text[1000];
    (void)state;
    for (size_t len = 250; len < 260; len++) {
        memset(long_text, 'x', len);
        memcpy(long_text + len, "\xf0\x9f\x98\x80", 5); /* two units */
        const struct error_arg arg = ERROR_TEXT(long_text);
        struct error_record *head = error_note(NULL, 1, 2, 3, 1, &arg);
        const struct eerr_text *got = &head->info.params[0].text;
        const char16_t *units = got->units;
        assert_true(got->count >= 251 && got->count <= 256);
        assert_int_equal(units[got->count - 1], 0);
        assert_true((units[got->count - 2] & 0xfc00) != 0xd800); /* no half of a character */
        for (unsigned i = 0; i + 1 < got->count; i++)
            assert_int_not_equal(units[i], 0);
        error_put(head);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_there_and_back), cmocka_unit_test(b_every_room),
        cmocka_unit_test(b_left_out),       cmocka_unit_test(c_prefixes),
        cmocka_unit_test(c_damage),         cmocka_unit_test(d_chain),
        cmocka_unit_test(d_no_room),        cmocka_unit_test(d_long_chain),
        cmocka_unit_test(d_no_memory),      cmocka_unit_test(e_long_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
