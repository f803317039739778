/* SPDX-License-Identifier: MIT */
/* epm_map_test.c - what the endpoint mapper keeps: whose entries are whose, what a search finds,
 * limits, and every allocation failing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_shim.h"
#include "epm/map.h"

static const struct epm_limits limits = {.entries = 20, .user_entries = 10, .user_owners = 3};

struct sample {
    struct epm_entry entry;
    uint8_t octets[200];
};

static struct pdu_syntax interface_of(unsigned number, unsigned major, unsigned minor)
{
    return (struct pdu_syntax){{number, 0, 0, {0}}, (uint16_t)major, (uint16_t)minor};
}

/* Interface `number` v1.2 at a port, for an object. */
static const struct epm_entry *make(struct sample *sample, unsigned number, unsigned port,
                                    unsigned object)
{
    const struct tower tower = {.kind = TOWER_TCP,
                                .interface_id = interface_of(number, 1, 2),
                                .transfer = pdu_syntax_ndr,
                                .port = (uint16_t)port,
                                .address = {10, 0, 0, (uint8_t)port}};
    sample->entry = (struct epm_entry){
        .object = {object, 0, 0, {0}}, .tower = sample->octets, .annotation = "words"};
    sample->entry.tower_len = tower_encode(sample->octets, sizeof(sample->octets), &tower);
    return &sample->entry;
}

static uint32_t insert(struct epm_map *map, struct epm_owner *owner, uint32_t uid, unsigned number,
                       unsigned port, unsigned object)
{
    struct sample sample;
    return epm_insert(map, owner, uid, make(&sample, number, port, object), 0);
}

/* The ports found, in their order. */
struct found {
    unsigned count, max;
    unsigned ports[32];
};

static bool take(void *arg, const struct epm_entry *entry)
{
    struct found *found = arg;
    struct tower tower;
    assert_true(tower_decode(entry->tower, entry->tower_len, &tower));
    assert_string_equal(entry->annotation, "words");
    assert_int_equal(tower.address[0], 0); /* whatever was inserted */
    if (found->max > 0 && found->count == found->max)
        return false;
    found->ports[found->count++] = tower.port;
    return true;
}

static struct found search(struct epm_map *map, struct epm_query *query, unsigned max,
                           bool *ret_more)
{
    struct found found = {0};
    const unsigned count = epm_search(map, query, max, take, &found, ret_more);
    assert_int_equal(count, found.count);
    return found;
}

static unsigned count_all(struct epm_map *map)
{
    bool more;
    struct epm_query query = {.match = EPM_ALL};
    struct found found = search(map, &query, 30, &more);
    assert_false(more);
    assert_int_equal(found.count, epm_count(map));
    return found.count;
}

static struct epm_query map_query(unsigned number, unsigned major, unsigned minor, unsigned object)
{
    static uint8_t octets[200];
    const struct tower tower = {.kind = TOWER_TCP,
                                .interface_id = interface_of(number, major, minor),
                                .transfer = pdu_syntax_ndr};
    struct epm_query query = {.match = EPM_MAP, .object = {object, 0, 0, {0}}};
    size_t len = tower_encode(octets, sizeof(octets), &tower);
    assert_true(tower_decode(octets, len, &query.tower));
    return query;
}

/* What lasts, and what goes with its owner. */
static void a_owners(void **state)
{
    struct epm_map *map = epm_map_new(&limits);
    struct epm_owner *owner;
    struct sample sample;
    (void)state;
    assert_int_equal(epm_owner_new(map, 1, &owner), EPM_OK);
    assert_int_equal(insert(map, owner, 0, 1, 1001, 0), EPM_OK);
    assert_int_equal(insert(map, owner, 0, 1, 1002, 0), EPM_OK);
    assert_int_equal(insert(map, owner, 0, 1, 1002, 0), EPM_OK); /* the same once more */
    assert_int_equal(insert(map, NULL, 1, 1, 1003, 0), EPM_OK);
    assert_int_equal(insert(map, NULL, 2, 1, 1004, 0), EPM_OK);
    assert_int_equal(count_all(map), 4);
    /* Others' entries may not be removed; root may. */
    make(&sample, 1, 1003, 0);
    assert_int_equal(epm_delete(map, NULL, 2, &sample.entry), EPM_CANT_ACCESS);
    assert_int_equal(epm_delete(map, owner, 1, &sample.entry), EPM_NOT_REGISTERED);
    assert_int_equal(epm_delete(map, NULL, 0, &sample.entry), EPM_OK);
    assert_int_equal(epm_delete(map, NULL, 0, &sample.entry), EPM_NOT_REGISTERED);
    assert_int_equal(count_all(map), 3);
    epm_owner_free(map, owner);
    assert_int_equal(count_all(map), 1);
    epm_map_free(map);
}

static void a_replace(void **state)
{
    struct epm_map *map = epm_map_new(&limits);
    struct sample sample;
    bool more;
    (void)state;
    insert(map, NULL, 1, 1, 1001, 0);
    insert(map, NULL, 1, 1, 1002, 7); /* another object */
    insert(map, NULL, 1, 2, 1003, 0); /* another interface */
    insert(map, NULL, 2, 1, 1004, 0); /* another user */
    const uint64_t until = epm_last_number(map);
    assert_int_equal(epm_insert(map, NULL, 1, make(&sample, 1, 1005, 0), until), EPM_OK);
    assert_int_equal(epm_insert(map, NULL, 1, make(&sample, 1, 1006, 0), until), EPM_OK);
    struct epm_query query = {.match = EPM_ALL};
    struct found found = search(map, &query, 30, &more);
    static const unsigned wanted[] = {1002, 1003, 1004, 1005, 1006};
    assert_int_equal(found.count, 5);
    assert_memory_equal(found.ports, wanted, sizeof(wanted));
    epm_map_free(map);
}

static void b_limits(void **state)
{
    struct epm_map *map = epm_map_new(&limits);
    struct epm_owner *owners[3], *other;
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(epm_owner_new(map, 1, &owners[i]), EPM_OK);
    assert_int_equal(epm_owner_new(map, 1, &other), EPM_CANT_CREATE);
    assert_int_equal(insert(map, NULL, 1, 1, 1, 0), EPM_CANT_CREATE); /* needs one, too */
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(insert(map, owners[i % 3], 0, 1, 1000 + i, 0), EPM_OK);
    assert_int_equal(insert(map, owners[0], 0, 1, 2000, 0), EPM_CANT_CREATE);
    for (unsigned i = 0; i < 9; i++)
        assert_int_equal(insert(map, NULL, 2, 1, 3000 + i, 0), EPM_OK);
    assert_int_equal(insert(map, NULL, 3, 1, 4000, 0), EPM_OK);
    assert_int_equal(insert(map, NULL, 3, 1, 4001, 0), EPM_CANT_CREATE); /* all are 20 */
    for (unsigned i = 0; i < 3; i++)
        epm_owner_free(map, owners[i]);
    assert_int_equal(insert(map, NULL, 3, 1, 4001, 0), EPM_OK);
    assert_int_equal(count_all(map), 11);
    epm_map_free(map);
}

static void b_wrong_entries(void **state)
{
    struct epm_map *map = epm_map_new(&limits);
    char annotation[EPM_ANNOTATION_SIZE + 1];
    struct sample sample;
    (void)state;
    make(&sample, 1, 1, 0);
    sample.entry.tower_len--;
    assert_int_equal(epm_insert(map, NULL, 1, &sample.entry, 0), EPM_INVALID_ENTRY);
    assert_int_equal(epm_delete(map, NULL, 1, &sample.entry), EPM_INVALID_ENTRY);
    make(&sample, 1, 1, 0);
    sample.entry.tower = NULL;
    assert_int_equal(epm_insert(map, NULL, 1, &sample.entry, 0), EPM_INVALID_ENTRY);
    make(&sample, 1, 1, 0);
    memset(annotation, 'x', sizeof(annotation));
    annotation[EPM_ANNOTATION_SIZE] = '\0';
    sample.entry.annotation = annotation;
    assert_int_equal(epm_insert(map, NULL, 1, &sample.entry, 0), EPM_INVALID_ENTRY);
    assert_int_equal(epm_count(map), 0);
    epm_map_free(map);
}

/* A search in steps meets each entry once, whatever comes and goes between. */
static void b_steps(void **state)
{
    struct epm_map *map = epm_map_new(&limits);
    struct epm_query query = {.match = EPM_ALL};
    struct sample sample;
    bool more;
    (void)state;
    for (unsigned i = 0; i < 8; i++)
        insert(map, NULL, 1, 1 + i % 2, 1000 + i, 0);
    struct found found = search(map, &query, 3, &more);
    assert_true(more);
    assert_int_equal(found.ports[2], 1002);
    epm_delete(map, NULL, 1, make(&sample, 1, 1002, 0)); /* where we stand */
    epm_delete(map, NULL, 1, make(&sample, 2, 1003, 0)); /* and behind */
    insert(map, NULL, 1, 1, 1008, 0);
    found = search(map, &query, 3, &more);
    assert_true(more);
    assert_int_equal(found.ports[0], 1004);
    found = search(map, &query, 3, &more);
    assert_false(more);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.ports[1], 1008);
    found = search(map, &query, 3, &more);
    assert_false(more);
    assert_int_equal(found.count, 0);
    query.behind = 0; /* the taker stops: there is more */
    struct found two = {.max = 2};
    assert_int_equal(epm_search(map, &query, 5, take, &two, &more), 2);
    assert_true(more);
    epm_map_free(map);
}

static void b_mapping(void **state)
{
    struct epm_map *map = epm_map_new(&limits);
    struct epm_query query;
    struct sample sample;
    bool more;
    (void)state;
    insert(map, NULL, 1, 1, 1001, 0);
    insert(map, NULL, 1, 1, 1002, 5);
    insert(map, NULL, 1, 1, 1003, 5);
    static const struct {
        unsigned number, major, minor, object, count, first;
    } rows[] = {
        {1, 1, 2, 0, 1, 1001}, {1, 1, 0, 0, 1, 1001}, {1, 1, 3, 0, 0, 0}, {1, 2, 0, 0, 0, 0},
        {2, 1, 2, 0, 0, 0},    {1, 1, 2, 5, 2, 1002}, {1, 1, 2, 6, 1, 1001},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        query = map_query(rows[i].number, rows[i].major, rows[i].minor, rows[i].object);
        struct found found = search(map, &query, 10, &more);
        assert_false(more);
        assert_int_equal(found.count, rows[i].count);
        if (found.count > 0)
            assert_int_equal(found.ports[0], rows[i].first);
    }
    query = map_query(1, 1, 2, 5);
    struct found found = search(map, &query, 1, &more);
    assert_true(more);
    found = search(map, &query, 1, &more);
    assert_false(more);
    assert_int_equal(found.ports[0], 1003);
    /* The last of the object's goes meanwhile: what serves any object is not offered then. */
    query = map_query(1, 1, 2, 5);
    search(map, &query, 1, &more);
    epm_delete(map, NULL, 1, make(&sample, 1, 1003, 5));
    assert_int_equal(search(map, &query, 1, &more).count, 0);
    /* Another protocol sequence, another transfer syntax. */
    query = map_query(1, 1, 2, 0);
    query.tower.protocols[3] = 0x1f;
    assert_int_equal(search(map, &query, 1, &more).count, 0);
    query = map_query(1, 1, 2, 0);
    query.tower.transfer = pdu_syntax_ndr64;
    assert_int_equal(search(map, &query, 1, &more).count, 0);
    epm_map_free(map);
}

static void b_versions(void **state)
{
    static const struct {
        enum epm_versions versions;
        unsigned major, minor;
        bool matches; /* 1.2 */
    } rows[] = {
        {EPM_VERSION_ALL, 7, 7, true},        {EPM_VERSION_COMPATIBLE, 1, 2, true},
        {EPM_VERSION_COMPATIBLE, 1, 1, true}, {EPM_VERSION_COMPATIBLE, 1, 3, false},
        {EPM_VERSION_COMPATIBLE, 0, 2, false}, {EPM_VERSION_EXACT, 1, 2, true},
        {EPM_VERSION_EXACT, 1, 1, false},     {EPM_VERSION_MAJOR_ONLY, 1, 9, true},
        {EPM_VERSION_MAJOR_ONLY, 2, 2, false}, {EPM_VERSION_UPTO, 1, 2, true},
        {EPM_VERSION_UPTO, 1, 1, false},      {EPM_VERSION_UPTO, 2, 0, true},
        {EPM_VERSION_UPTO, 0, 9, false},
    };
    struct epm_map *map = epm_map_new(&limits);
    bool more;
    (void)state;
    insert(map, NULL, 1, 1, 1001, 5);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (unsigned both = 0; both < 2; both++) {
            struct epm_query query = {.match = both ? EPM_BY_BOTH : EPM_BY_INTERFACE,
                                      .versions = rows[i].versions,
                                      .object = {5, 0, 0, {0}},
                                      .interface_id =
                                          interface_of(1, rows[i].major, rows[i].minor)};
            assert_int_equal(search(map, &query, 3, &more).count, rows[i].matches);
        }
    epm_map_free(map);
}

/* The n-th allocation fails, for every n: nothing is half there, nothing leaks. */
static void c_out_of_memory(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        alloc_fail_at(n);
        struct epm_owner *owner = NULL;
        struct epm_map *map = epm_map_new(&limits);
        bool whole = map != NULL;
        if (map && epm_owner_new(map, 1, &owner) != EPM_OK)
            whole = false;
        uint32_t first = map && owner ? insert(map, owner, 0, 1, 1001, 0) : EPM_NO_MEMORY;
        uint32_t lasting = map ? insert(map, NULL, 2, 1, 1002, 0) : EPM_NO_MEMORY;
        alloc_fail_at(-1);
        assert_true(first == EPM_OK || first == EPM_NO_MEMORY);
        assert_true(lasting == EPM_OK || lasting == EPM_NO_MEMORY);
        if (map)
            assert_int_equal(epm_count(map), (first == EPM_OK) + (lasting == EPM_OK));
        if (map)
            epm_owner_free(map, owner);
        epm_map_free(map);
        assert_int_equal(alloc_live, 0);
        if (whole && first == EPM_OK && lasting == EPM_OK)
            return;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_owners),   cmocka_unit_test(a_replace),
        cmocka_unit_test(b_limits),   cmocka_unit_test(b_wrong_entries),
        cmocka_unit_test(b_steps),    cmocka_unit_test(b_mapping),
        cmocka_unit_test(b_versions), cmocka_unit_test(c_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
