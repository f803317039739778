/* SPDX-License-Identifier: MIT */
/* client_convert.c - values the programs convert, wherever they may stand, and routines
 * that raise or give nothing. */
#include "client.h"

#include "convert_values.h"
#include "win32.h"

#define SIMPLE_CASE(name, type)                                                                    \
    static RPC_STATUS call_##name(int32_t number, int32_t twice, int32_t *ret_result,              \
                                  int32_t *ret_b, int32_t *ret_c)                                  \
    {                                                                                              \
        RPC_STATUS status;                                                                         \
        type a = make_##name(number), b = make_##name(twice), c;                                   \
        type *volatile result = NULL;                                                              \
        type place;                                                                                \
        GARBAGE(c);                                                                                \
        RAISED(status, place = Cv##name(server, a, &b, &c); result = &place);                      \
        *ret_b = get_##name(&b);                                                                   \
        if (result) {                                                                              \
            *ret_result = get_##name(&place);                                                      \
            *ret_c = get_##name(&c);                                                               \
            clear_##name(&place);                                                                  \
            clear_##name(&c);                                                                      \
        }                                                                                          \
        clear_##name(&a);                                                                          \
        clear_##name(&b);                                                                          \
        return status;                                                                             \
    }                                                                                              \
    static bool simple_##name(void)                                                                \
    {                                                                                              \
        static const int32_t numbers[] = {1, 2, 3, 77, 4711, -5, 1000000};                         \
        for (size_t i = 0; i < COUNT_OF(numbers); i++) {                                           \
            int32_t result, b, c, n = numbers[i];                                                  \
            CHECK_EQUAL(call_##name(n, n + 10, &result, &b, &c), RPC_S_OK);                        \
            CHECK_EQUAL(result, n + 1);                                                            \
            CHECK_EQUAL(b, 2 * (n + 10));                                                          \
            CHECK_EQUAL(c, n - 1);                                                                 \
        }                                                                                          \
        return true;                                                                               \
    }
CONVERT_TYPES(SIMPLE_CASE)

/* Here, there and on the way back: nothing is left anywhere (client.c counts). */
static bool misbehaving(RPC_STATUS (*call)(int32_t, int32_t, int32_t *, int32_t *, int32_t *),
                        RPC_STATUS nothing, bool user_marshalled)
{
    int32_t result, b, c;
    const struct {
        int32_t a, b;
        RPC_STATUS status;
    } rows[] = {
        {RAISE_SENDING, 1, RAISED_SENDING},             /* client sends          */
        {1, RAISE_SENDING, RAISED_SENDING},             /**/
        {RAISE_RECEIVING, 1, RAISED_RECEIVING},         /* server receives       */
        {1, RAISE_RECEIVING, RAISED_RECEIVING},         /**/
        {RAISE_SENDING - 1, 1, RAISED_SENDING},         /* server sends: result  */
        {RAISE_SENDING + 1, 1, RAISED_SENDING},         /* c                     */
        {1, RAISE_SENDING / 2, RAISED_SENDING},         /* b                     */
        {RAISE_RECEIVING - 1, 1, RAISED_RECEIVING},     /* client receives       */
        {RAISE_RECEIVING + 1, 1, RAISED_RECEIVING},     /**/
        {1, RAISE_RECEIVING / 2, RAISED_RECEIVING},     /**/
        {SEND_NOTHING, 1, nothing},                     /* client                */
        {SEND_NOTHING - 1, 1, nothing},                 /* server                */
        {user_marshalled ? READ_TOO_FAR : SEND_NOTHING, 1,
         user_marshalled ? RPC_X_INVALID_BUFFER : nothing},
        {user_marshalled ? READ_TOO_FAR - 1 : SEND_NOTHING, 1,
         user_marshalled ? RPC_X_INVALID_BUFFER : nothing},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        RPC_STATUS status = call(rows[i].a, rows[i].b, &result, &b, &c);
        if (status == RPC_S_SERVER_OUT_OF_MEMORY)
            status = RPC_S_OUT_OF_MEMORY;
        if (status != rows[i].status)
            return fail(__FILE__, __LINE__, "row %d: %d, not %d", (int)i, (int)status,
                        (int)rows[i].status);
        CHECK_EQUAL(call(1, 1, &result, &b, &c), RPC_S_OK);
    }
    return true;
}

static bool routines_of_values(void)
{
    return misbehaving(call_Box, RPC_S_OUT_OF_MEMORY, false) &&
           misbehaving(call_Chain, RPC_S_OUT_OF_MEMORY, false) &&
           misbehaving(call_Spot, RPC_S_OUT_OF_MEMORY, false) &&
           misbehaving(call_Angle, RPC_S_OUT_OF_MEMORY, false);
}

static bool routines_of_octets(void)
{
    return misbehaving(call_Thing, RPC_X_INVALID_BUFFER, true) &&
           misbehaving(call_Blob, RPC_X_INVALID_BUFFER, true) &&
           misbehaving(call_Label, RPC_X_INVALID_BUFFER, true);
}

static bool digits(void)
{
    RT_DIGITS a = {5, 6}, b = {7, 8}, c;
    GARBAGE(c);
    CvDigits(server, a, b, &c);
    CHECK(b[0] == 14 && b[1] == 16 && c[0] == 4 && c[1] == 5);
    return true;
}

static bool bags(void)
{
    for (int32_t seed = 100; seed < 106; seed++) {
        RT_BAG bag = {0}, copy;
        bag_fill(&bag, seed);
        GARBAGE(copy);
        CvBag(server, seed, &bag, &copy);
        CHECK(bag_is(&bag, seed + 1));
        CHECK(bag_is(&copy, seed + 2));
        bag_clear(&bag);
        bag_clear(&copy);
    }
    return true;
}

static bool boxes(void)
{
    RT_BOX v[20];
    for (int32_t n = 0; n < 20; n++) {
        for (int32_t i = 0; i < n; i++)
            v[i] = make_Box(100 * i);
        CvBoxes(server, n, v);
        for (int32_t i = 0; i < n; i++) {
            CHECK_EQUAL(get_Box(&v[i]), 101 * i);
            clear_Box(&v[i]);
        }
    }
    return true;
}

static bool allocated_box(void)
{
    RT_BOX a = make_Box(4), b = make_Box(5), c;
    GARBAGE(c);
    RT_BOX result = CvAllocatedBox(server, a, &b, &c);
    CHECK(*result == 5 && *b == 10 && *c == 3);
    clear_Box(&a);
    clear_Box(&b);
    clear_Box(&c);
    clear_Box(&result);
    return true;
}

/* [range] on what is sent: checked by who receives it. */
static bool limits(void)
{
    static const struct {
        LOCAL_DIGIT digit;
        double share, part;
        RPC_STATUS status;
    } rows[] = {{3, 0.33, 0.33, RPC_S_OK},
                {-3, 0, 0, RPC_S_OK},
                {10, 0, 0, RPC_X_BAD_STUB_DATA}, /* the server refuses */
                {0, 1.0, 0, RPC_X_BAD_STUB_DATA},
                {0, 0, 1.0, RPC_X_BAD_STUB_DATA},
                {-4, 0, 0, RPC_X_BAD_STUB_DATA}, /* the client refuses the answer */
                {0, 0.34, 0, RPC_X_BAD_STUB_DATA},
                {0, 0, 0.34, RPC_X_BAD_STUB_DATA}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        LOCAL_DIGIT digit = rows[i].digit;
        RT_SHARE share = {rows[i].share};
        RT_PART part = rows[i].part;
        CHECK_RAISES(rows[i].status, CvLimits(server, &digit, &share, &part));
        if (rows[i].status == RPC_S_OK)
            CHECK(digit == 3 * rows[i].digit && (int)(share.part * 100 + 0.5) == 99 * (i == 0) &&
                  (int)(part * 100 + 0.5) == 99 * (i == 0));
    }
    return true;
}

void CvBack(RT_BLOB a, RT_BLOB *b)
{
    int32_t sum = get_Blob(&a) + get_Blob(b);
    clear_Blob(b);
    *b = make_Blob(sum);
}

/* Four conversions of each value; one that raises far away raises here. */
static bool callbacks(void)
{
    static const struct {
        int32_t a, b;
        RPC_STATUS status;
    } rows[] = {{5, 6, RPC_S_OK},
                {RAISE_RECEIVING, 6, RAISED_RECEIVING},
                {RAISE_SENDING - 6, 6, RAISED_SENDING},
                {RAISE_RECEIVING - 6, 6, RAISED_RECEIVING}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        RT_BLOB a = make_Blob(rows[i].a), b = make_Blob(rows[i].b);
        CHECK_RAISES(rows[i].status, CvForth(server, a, &b));
        if (rows[i].status == RPC_S_OK)
            CHECK_EQUAL(get_Blob(&b), rows[i].a + rows[i].b);
        clear_Blob(&a);
        clear_Blob(&b);
    }
    return true;
}

static RPC_STATUS async_blob(int32_t number, int32_t twice, int32_t *ret_result, int32_t *ret_b,
                             int32_t *ret_c)
{
    RT_BLOB a = make_Blob(number), b = make_Blob(twice), c, result;
    struct pending pending;
    RPC_STATUS status;
    GARBAGE(c);
    pending_init(&pending);
    RAISED(status, CvAsyncBlob(&pending.async, server, a, &b, &c));
    if (status == RPC_S_OK)
        status = pending_complete(&pending, &result);
    else
        CloseHandle(pending.event);
    *ret_b = get_Blob(&b);
    if (status == RPC_S_OK) {
        *ret_result = get_Blob(&result);
        *ret_c = get_Blob(&c);
        clear_Blob(&result);
        clear_Blob(&c);
    }
    clear_Blob(&a);
    clear_Blob(&b);
    return status;
}

static bool async_blobs(void)
{
    int32_t result, b, c;
    CHECK_EQUAL(async_blob(40, 50, &result, &b, &c), RPC_S_OK);
    CHECK(result == 41 && b == 100 && c == 39);
    return misbehaving(async_blob, RPC_X_INVALID_BUFFER, true);
}

#define SIMPLE_ENTRY(name, type) {"convert_" #name, simple_##name},

const struct test_case convert_cases[] = {
    CONVERT_TYPES(SIMPLE_ENTRY) /**/
    {"convert_digits", digits},
    {"convert_bags", bags},
    {"convert_boxes", boxes},
    {"convert_allocated_box", allocated_box},
    {"convert_routines_of_values", routines_of_values},
    {"convert_routines_of_octets", routines_of_octets},
    {"convert_async_blobs", async_blobs},
    {"convert_callbacks", callbacks},
    {"convert_limits", limits},
    {NULL, NULL},
};
