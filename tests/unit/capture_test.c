/* SPDX-License-Identifier: MIT */
/* capture_test.c - the pcap file: read back by a small reader of our own, and by
 * tshark where it is installed. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/capture.h"

/* The bind and the bind_ack of one connection, and a request and its response: the
 * smallest conversation a dissector can make sense of. */
static const uint8_t bind_pdu[] = {
    0x05, 0x00, 0x0b, 0x03, 0x10, 0x00, 0x00, 0x00, 0x48, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
    0x00, 0xd0, 0x16, 0xd0, 0x16, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x01, 0x00, 0xd0, 0xe5, 0xc1, 0xa7, 0x52, 0x3b, 0x6e, 0x4f, 0x9d, 0x18, 0x5c, 0x0b, 0x7e,
    0x2f, 0x4a, 0x91, 0x01, 0x00, 0x00, 0x00, 0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11,
    0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60, 0x02, 0x00, 0x00, 0x00};
static const uint8_t bind_ack_pdu[] = {
    0x05, 0x00, 0x0c, 0x03, 0x10, 0x00, 0x00, 0x00, 0x3c, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
    0x00, 0xd0, 0x16, 0xd0, 0x16, 0x45, 0x23, 0x01, 0x00, 0x05, 0x00, 0x35, 0x30, 0x30, 0x30,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x5d, 0x88, 0x8a, 0xeb,
    0x1c, 0xc9, 0x11, 0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60, 0x02, 0x00, 0x00, 0x00};
static const uint8_t request_pdu[] = {0x05, 0x00, 0x00, 0x03, 0x10, 0x00, 0x00, 0x00, 0x1c, 0x00,
                                      0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00,
                                      0x00, 0x00, 0x07, 0x00, 0xaa, 0xbb, 0xcc, 0xdd};
static const uint8_t response_pdu[] = {0x05, 0x00, 0x02, 0x03, 0x10, 0x00, 0x00, 0x00,
                                       0x18, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
                                       0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};

static char folder[] = "/tmp/capture_test.XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void path_in_folder(char *ret_path, size_t room, const char *name)
{
    int n = snprintf(ret_path, room, "%s/%s", folder, name);
    assert_true(n > 0 && (size_t)n < room);
}

static void put(uint32_t conn, bool outgoing, const void *octets, size_t len)
{
    struct iovec iov = {.iov_base = (void *)octets, .iov_len = len};
    capture_pdus(conn, outgoing, &iov, 1);
}

static void talk(uint32_t conn, bool server_side)
{
    put(conn, !server_side, bind_pdu, sizeof(bind_pdu));
    put(conn, server_side, bind_ack_pdu, sizeof(bind_ack_pdu));
    put(conn, !server_side, request_pdu, sizeof(request_pdu));
    put(conn, server_side, response_pdu, sizeof(response_pdu));
}

/* ---- A reader of pcap files ---------------------------------------------- */

/* One connection as the packets show it. */
struct flow {
    uint32_t client; /* address */
    uint32_t next_seq[2];
    size_t len[2];
    uint8_t *octets[2];
    unsigned packets, syns, fins;
};

#define FLOW_MAX 64u

struct flows {
    struct flow of[FLOW_MAX];
    size_t count;
    unsigned packets;
    bool cut_short; /* the file ends inside a record */
};

static uint32_t be(const uint8_t *octets, size_t len)
{
    uint32_t value = 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | octets[i];
    return value;
}

/* The sum over data that includes its checksum folds to 0xffff (RFC 1071). */
static uint32_t sum_of(uint32_t sum, const uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 == 0 ? (uint32_t)octets[i] << 8 : octets[i];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static struct flow *flow_of(struct flows *flows, uint32_t client)
{
    for (size_t i = 0; i < flows->count; i++)
        if (flows->of[i].client == client)
            return &flows->of[i];
    assert_true(flows->count < FLOW_MAX);
    flows->of[flows->count].client = client;
    return &flows->of[flows->count++];
}

static void take_packet(struct flows *flows, const uint8_t *ip, size_t len)
{
    assert_true(len >= 40);
    assert_int_equal(ip[0], 0x45);
    assert_int_equal(be(ip + 2, 2), len);
    assert_int_equal(ip[9], 6);
    assert_int_equal(sum_of(0, ip, 20), 0xffff);
    const uint8_t *tcp = ip + 20;
    size_t tcp_len = len - 20;
    assert_int_equal(sum_of(sum_of(6 + (uint32_t)tcp_len, ip + 12, 8), tcp, tcp_len), 0xffff);

    bool from_server = be(ip + 12, 4) == 0xc0000201;
    struct flow *flow = flow_of(flows, be(ip + (from_server ? 16 : 12), 4));
    assert_int_equal(be(tcp, 2), from_server ? 50001 : 50000);
    assert_int_equal(be(tcp + 2, 2), from_server ? 50000 : 50001);
    size_t header_len = (size_t)(tcp[12] >> 4) * 4;
    assert_true(header_len >= 20 && header_len <= tcp_len);
    unsigned flags = tcp[13];
    bool syn = flags & 2, fin = flags & 1;
    assert_true(flow->packets > 0 || (syn && !from_server)); /* begins with a handshake */

    /* Sequence and acknowledgement numbers leave no gap. */
    assert_int_equal(be(tcp + 4, 4), flow->next_seq[from_server]);
    if (flags & 0x10)
        assert_int_equal(be(tcp + 8, 4), flow->next_seq[!from_server]);
    size_t payload_len = tcp_len - header_len;
    flow->next_seq[from_server] += (uint32_t)payload_len + syn + fin;
    flow->packets++;
    flow->syns += syn;
    flow->fins += fin;
    uint8_t *grown = realloc(flow->octets[from_server], flow->len[from_server] + payload_len + 1);
    assert_non_null(grown);
    memcpy(grown + flow->len[from_server], tcp + header_len, payload_len);
    flow->octets[from_server] = grown;
    flow->len[from_server] += payload_len;
    flows->packets++;
}

static struct flows read_pcap(const char *path)
{
    struct flows flows = {0};
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t zone, accuracy, snaplen, linktype;
    } header;
    assert_int_equal(fread(&header, sizeof(header), 1, file), 1);
    assert_int_equal(header.magic, 0xa1b23c4d);
    assert_int_equal(header.major, 2);
    assert_int_equal(header.minor, 4);
    assert_int_equal(header.linktype, 101);
    uint32_t record[4];
    size_t n;
    while ((n = fread(record, 1, sizeof(record), file)) == sizeof(record)) {
        static uint8_t packet[65536];
        assert_true(record[1] < 1000000000);
        assert_int_equal(record[2], record[3]);
        assert_true(record[2] <= sizeof(packet) && record[2] <= header.snaplen);
        n = fread(packet, 1, record[2], file);
        if (n < record[2])
            break;
        take_packet(&flows, packet, record[2]);
        n = 0;
    }
    flows.cut_short = n != 0;
    fclose(file);
    return flows;
}

static void flows_fini(struct flows *flows)
{
    for (size_t i = 0; i < flows->count; i++) {
        free(flows->of[i].octets[0]);
        free(flows->of[i].octets[1]);
    }
}

/* ---- Tests --------------------------------------------------------------- */

static void a_off_by_default(void **state)
{
    (void)state;
    assert_false(capture_enabled());
    assert_int_equal(capture_open(false), 0);
    put(0, true, bind_pdu, sizeof(bind_pdu));
    capture_close(0);
    put(17, true, bind_pdu, sizeof(bind_pdu)); /* an unknown number is harmless */
    capture_close(17);
}

static void a_both_sides(void **state)
{
    (void)state;
    char path[128];
    path_in_folder(path, sizeof(path), "a.pcap");
    assert_true(capture_start(path));
    assert_true(capture_enabled());
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600); /* plain text: for its owner only */
    for (int server_side = 0; server_side <= 1; server_side++) {
        uint32_t conn = capture_open(server_side);
        assert_int_not_equal(conn, 0);
        talk(conn, server_side);
        capture_close(conn);
        put(conn, true, bind_pdu, sizeof(bind_pdu)); /* after the end: nothing */
        capture_close(conn);
    }
    capture_stop();
    assert_false(capture_enabled());

    struct flows flows = read_pcap(path);
    assert_false(flows.cut_short);
    assert_int_equal(flows.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct flow *flow = &flows.of[i];
        assert_int_equal(flow->packets, 3 + 4 + 3);
        assert_int_equal(flow->syns, 2);
        assert_int_equal(flow->fins, 2);
        assert_int_equal(flow->len[0], sizeof(bind_pdu) + sizeof(request_pdu));
        assert_memory_equal(flow->octets[0], bind_pdu, sizeof(bind_pdu));
        assert_memory_equal(flow->octets[0] + sizeof(bind_pdu), request_pdu, sizeof(request_pdu));
        assert_int_equal(flow->len[1], sizeof(bind_ack_pdu) + sizeof(response_pdu));
        assert_memory_equal(flow->octets[1], bind_ack_pdu, sizeof(bind_ack_pdu));
    }
    flows_fini(&flows);
    unlink(path);
}

/* Vectors of every shape around the segment size arrive whole and in order. */
static void b_segments(void **state)
{
    (void)state;
    char path[128];
    path_in_folder(path, sizeof(path), "segments.pcap");
    static uint8_t data[70000];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7 + i / 251);
    static const size_t lens[] = {0, 1, 16383, 16384, 16385, 32768, 32769, 70000};
    for (size_t k = 0; k < sizeof(lens) / sizeof(lens[0]); k++) {
        assert_true(capture_start(path));
        uint32_t conn = capture_open(false);
        size_t a = lens[k] / 3, b = lens[k] / 2;
        struct iovec iov[5] = {
            {data, a}, {data, 0}, {data + a, b - a}, {data + b, lens[k] - b}, {NULL, 0}};
        capture_pdus(conn, true, iov, 5);
        capture_pdus(conn, true, iov, 0);
        capture_close(conn);
        capture_stop();
        struct flows flows = read_pcap(path);
        assert_int_equal(flows.count, 1);
        assert_int_equal(flows.of[0].len[0], lens[k]);
        assert_int_equal(flows.of[0].packets, 6 + (lens[k] + 16383) / 16384);
        if (lens[k] > 0)
            assert_memory_equal(flows.of[0].octets[0], data, lens[k]);
        flows_fini(&flows);
    }
    unlink(path);
}

static void b_process_number_in_the_name(void **state)
{
    (void)state;
    char pattern[128], path[128], name[64];
    path_in_folder(pattern, sizeof(pattern), "%p-%p.%x.pcap%");
    snprintf(name, sizeof(name), "%d-%d.%%x.pcap%%", (int)getpid(), (int)getpid());
    path_in_folder(path, sizeof(path), name);
    assert_true(capture_start(pattern));
    capture_stop();
    assert_int_equal(unlink(path), 0);
}

static void b_no_file(void **state)
{
    (void)state;
    char path[128];
    path_in_folder(path, sizeof(path), "no/such/folder.pcap");
    assert_false(capture_start(path));
    assert_false(capture_enabled());
    assert_int_equal(capture_open(true), 0);
    assert_false(capture_start("/dev/full")); /* opens, but takes no header */
    assert_false(capture_enabled());
}

/* The disk fills: the capture ends with a whole packet, the program goes on. */
static void c_disk_full(void **state)
{
    (void)state;
    char path[128];
    path_in_folder(path, sizeof(path), "full.pcap");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit limit = {.rlim_cur = 5000, .rlim_max = 5000};
        setrlimit(RLIMIT_FSIZE, &limit);
        bool good = capture_start(path);
        uint32_t conn = capture_open(false);
        for (int i = 0; i < 100; i++)
            put(conn, true, bind_pdu, sizeof(bind_pdu));
        good = good && conn != 0 && !capture_enabled() && capture_open(false) == 0;
        capture_close(conn);
        _exit(good ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    struct flows flows = read_pcap(path);
    assert_false(flows.cut_short);
    assert_true(flows.packets > 20);
    flows_fini(&flows);
    unlink(path);
}

static void c_killed_process_leaves_a_readable_file(void **state)
{
    (void)state;
    char path[128];
    path_in_folder(path, sizeof(path), "killed.pcap");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        capture_start(path);
        talk(capture_open(true), true);
        kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    struct flows flows = read_pcap(path);
    assert_false(flows.cut_short);
    assert_int_equal(flows.packets, 3 + 4);
    flows_fini(&flows);
    unlink(path);
}

static void *talk_often(void *arg)
{
    for (int i = 0; i < 10; i++) {
        uint32_t conn = capture_open(i % 2);
        for (int k = 0; k < 20; k++)
            put(conn, true, arg, 1000);
        capture_close(conn);
    }
    return NULL;
}

static void c_threads(void **state)
{
    (void)state;
    char path[128];
    path_in_folder(path, sizeof(path), "threads.pcap");
    assert_true(capture_start(path));
    static uint8_t data[4][1000];
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        memset(data[i], 'a' + (int)i, sizeof(data[i]));
        assert_int_equal(pthread_create(&threads[i], NULL, talk_often, data[i]), 0);
    }
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    capture_stop();
    struct flows flows = read_pcap(path);
    assert_int_equal(flows.count, 40);
    for (size_t i = 0; i < 40; i++) {
        const struct flow *flow = &flows.of[i];
        assert_int_equal(flow->len[0] + flow->len[1], 20000);
        const uint8_t *octets = flow->len[0] > 0 ? flow->octets[0] : flow->octets[1];
        for (size_t k = 1; k < 20000; k++)
            assert_int_equal(octets[k], octets[0]); /* one thread per connection */
    }
    flows_fini(&flows);
    unlink(path);
}

/* The environment is read by the first use, so in a process of its own. */
static void environment_says(const char *max, unsigned packets)
{
    char pattern[128], path[128], name[32];
    path_in_folder(pattern, sizeof(pattern), "env-%p.pcap");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("PENSTOCK_PCAP", pattern, 1);
        if (max)
            setenv("PENSTOCK_PCAP_MAX", max, 1);
        execl("/proc/self/exe", "capture_test", "--child", (char *)NULL);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    snprintf(name, sizeof(name), "env-%d.pcap", (int)child);
    path_in_folder(path, sizeof(path), name);
    struct flows flows = read_pcap(path);
    assert_int_equal(flows.packets, packets);
    flows_fini(&flows);
    unlink(path);
}

static void c_environment(void **state)
{
    (void)state;
    environment_says(NULL, 3 + 4 + 3);
    environment_says("1000000", 3 + 4 + 3);
    environment_says("1", 3 + 1 + 3); /* what was begun is written, and the end */
    environment_says("0", 3 + 3);
}

static int child_main(void)
{
    uint32_t conn = capture_open(false);
    talk(conn, false);
    capture_close(conn);
    return 0;
}

/* Lines of `tshark -r path`, which finds DCE/RPC by itself, that contain `word`. */
static unsigned tshark_lines(const char *path, const char *word)
{
    char command[256], line[1024];
    snprintf(command, sizeof(command), "tshark -r %s 2>/dev/null", path);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    unsigned count = 0;
    while (fgets(line, sizeof(line), output))
        count += strstr(line, word) != NULL;
    assert_int_equal(pclose(output), 0);
    return count;
}

static void d_tshark_sees_dcerpc(void **state)
{
    (void)state;
    if (system("tshark --version >/dev/null 2>&1") != 0)
        skip();
    char path[128];
    path_in_folder(path, sizeof(path), "tshark.pcap");
    assert_true(capture_start(path));
    uint32_t conn = capture_open(false);
    put(conn, true, bind_pdu, sizeof(bind_pdu));
    put(conn, false, bind_ack_pdu, sizeof(bind_ack_pdu));
    /* Many requests in one go, as they leave in one sendmsg and arrive in one recv:
     * PDUs cross the segments.  1,000 of 28 octets, two segments. */
    static uint8_t requests[1000 * sizeof(request_pdu)];
    for (size_t i = 0; i < 1000; i++)
        memcpy(requests + i * sizeof(request_pdu), request_pdu, sizeof(request_pdu));
    put(conn, true, requests, sizeof(requests));
    put(conn, false, response_pdu, sizeof(response_pdu));
    capture_close(conn);
    /* A connection whose first PDU arrives in pieces: the heuristics want its header
     * in the first one. */
    conn = capture_open(true);
    put(conn, false, bind_pdu, 16);
    put(conn, false, bind_pdu + 16, 1);
    put(conn, false, bind_pdu + 17, sizeof(bind_pdu) - 17);
    put(conn, true, bind_ack_pdu, sizeof(bind_ack_pdu));
    capture_close(conn);
    capture_stop();
    assert_int_equal(tshark_lines(path, "DCERPC"), 7);
    assert_int_equal(tshark_lines(path, "Bind: call_id: 1"), 2);
    assert_int_equal(tshark_lines(path, "Bind_ack: call_id: 1"), 2);
    assert_int_equal(tshark_lines(path, "Response: call_id: 2"), 1);
    assert_true(tshark_lines(path, "Request: call_id: 2") >= 2);
    assert_int_equal(tshark_lines(path, "Malformed"), 0);
    assert_int_equal(tshark_lines(path, "Retransmission"), 0);
    assert_int_equal(tshark_lines(path, "Previous segment not captured"), 0);
    unlink(path);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--child") == 0)
        return child_main();
    unsetenv("PENSTOCK_PCAP");
    unsetenv("PENSTOCK_PCAP_MAX");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_off_by_default),
        cmocka_unit_test(a_both_sides),
        cmocka_unit_test(b_segments),
        cmocka_unit_test(b_process_number_in_the_name),
        cmocka_unit_test(b_no_file),
        cmocka_unit_test(c_disk_full),
        cmocka_unit_test(c_killed_process_leaves_a_readable_file),
        cmocka_unit_test(c_threads),
        cmocka_unit_test(c_environment),
        cmocka_unit_test(d_tshark_sees_dcerpc),
    };
    return cmocka_run_group_tests_name("capture", tests, make_folder, remove_folder);
}
