/* SPDX-License-Identifier: MIT */
/* capture.c - writes a pcap file of raw IPv4 packets (LINKTYPE_RAW, 101).
 *
 *     file header | record header, IPv4, TCP, payload | record header ...
 *
 * Each packet goes out in one write(2) to a file opened for appending, so that a
 * process that dies leaves whole packets behind.  Nothing is buffered: this is a tool
 * for finding errors, and the error may be the next thing that happens. */
#include "runtime/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/trace.h"

/* Payload octets per packet.  The IPv4 length field ends at 65,535; smaller packets
 * keep the buffer small and the list in Wireshark readable. */
#define SEGMENT_MAX       16384u

#define PCAP_MAGIC_NS     0xa1b23c4du /* native byte order, nanoseconds */
#define PCAP_LINKTYPE_RAW 101u
#define PCAP_SNAPLEN      262144u
#define IPV4_LEN          20u
#define TCP_LEN           20u
#define TCP_OPTIONS_MAX   4u

/* Ports no dissector claims for itself, so that the heuristics look at the octets and
 * find DCE/RPC. */
#define CLIENT_PORT    50000u
#define SERVER_PORT    50001u
#define SERVER_ADDRESS 0xc0000201u /* 192.0.2.1, for documentation (RFC 5737) */
#define CLIENT_NET     0x0a000000u /* 10.0.0.0/8 */

#define TCP_FIN        0x01u
#define TCP_SYN        0x02u
#define TCP_PSH        0x08u
#define TCP_ACK        0x10u

struct pcap_file_header {
    uint32_t magic;
    uint16_t major, minor;
    int32_t zone;
    uint32_t accuracy, snaplen, linktype;
};

struct pcap_record_header {
    uint32_t seconds, nanoseconds, captured_len, original_len;
};

/* One connection; found through its number. */
struct connection {
    struct connection *next; /* in the same bucket */
    uint32_t number;
    bool server_side;
    uint32_t next_seq[2]; /* what each side sends next: [0] client, [1] server */
    uint64_t captured;    /* octets of both sides */
};

enum { FROM_CLIENT, FROM_SERVER };

#define BUCKETS 256u

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_bool enabled;
static uint64_t captured_max = UINT64_MAX; /* of a connection; set once */

/* Everything below is guarded by `lock`. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int file = -1;
static uint32_t last_number;
static uint16_t last_ip_id;
static struct connection *buckets[BUCKETS];
static uint8_t
    packet[sizeof(struct pcap_record_header) + IPV4_LEN + TCP_LEN + TCP_OPTIONS_MAX + SEGMENT_MAX];

/* ---- The file ------------------------------------------------------------ */

static void stop_locked(void)
{
    atomic_store(&enabled, false);
    if (file >= 0)
        close(file);
    file = -1;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (buckets[i]) {
            struct connection *conn = buckets[i];
            buckets[i] = conn->next;
            free(conn);
        }
    }
}

/* After half a record the rest of the file would be unreadable: on any error the
 * capture ends here with the last whole packet, and the program goes on. */
static void write_locked(const void *octets, size_t len)
{
    ssize_t n;
    do
        n = write(file, octets, len);
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)len)
        return;
    TRACE(TRACE_IO, "capture ends: %s", n < 0 ? strerror(errno) : "no room");
    off_t end = lseek(file, 0, SEEK_CUR);
    if (n > 0 && end >= n && ftruncate(file, end - n) != 0)
        TRACE(TRACE_IO, "capture ends with half a packet");
    stop_locked();
}

/* `path` with each %p replaced by the process number; NULL without memory. */
static char *expand_path(const char *path)
{
    char number[24];
    int number_len = snprintf(number, sizeof(number), "%d", (int)getpid());
    size_t room = strlen(path) * (size_t)number_len + 1;
    char *result = malloc(room);
    if (!result)
        return NULL;
    char *out = result;
    while (*path) {
        if (path[0] == '%' && path[1] == 'p') {
            memcpy(out, number, (size_t)number_len);
            out += number_len;
            path += 2;
        } else {
            *out++ = *path++;
        }
    }
    *out = '\0';
    return result;
}

static int create_file(const char *path)
{
    char *expanded = expand_path(path);
    if (!expanded)
        return -1;
    int fd = open(expanded, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        TRACE(TRACE_IO, "capture file %s: %s", expanded, strerror(errno));
    free(expanded);
    return fd;
}

static bool start(const char *path)
{
    static const struct pcap_file_header header = {
        .magic = PCAP_MAGIC_NS,
        .major = 2,
        .minor = 4,
        .snaplen = PCAP_SNAPLEN,
        .linktype = PCAP_LINKTYPE_RAW,
    };
    pthread_mutex_lock(&lock);
    stop_locked();
    file = create_file(path);
    if (file >= 0)
        write_locked(&header, sizeof(header));
    bool started = file >= 0;
    atomic_store(&enabled, started);
    pthread_mutex_unlock(&lock);
    return started;
}

static void read_environment(void)
{
    /* Not for programs with raised privileges: they would write a file of the
     * invoker's choice. */
    const char *path = secure_getenv("PENSTOCK_PCAP");
    const char *max = secure_getenv("PENSTOCK_PCAP_MAX");
    if (max && *max)
        captured_max = strtoull(max, NULL, 10);
    if (path && *path)
        (void)start(path);
}

bool capture_start(const char *path)
{
    pthread_once(&once, read_environment);
    return start(path);
}

void capture_stop(void)
{
    pthread_once(&once, read_environment);
    pthread_mutex_lock(&lock);
    stop_locked();
    pthread_mutex_unlock(&lock);
}

bool capture_enabled(void)
{
    pthread_once(&once, read_environment);
    return atomic_load_explicit(&enabled, memory_order_relaxed);
}

/* ---- Packets ------------------------------------------------------------- */

static uint8_t *put16(uint8_t *out, uint32_t value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
    return out + 2;
}

static uint8_t *put32(uint8_t *out, uint32_t value)
{
    return put16(put16(out, value >> 16), value);
}

/* The Internet checksum (RFC 1071) over `len` octets; `sum` is what came before. */
static uint32_t add_octets(uint32_t sum, const uint8_t *octets, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)octets[i] << 8 | octets[i + 1];
    if (len % 2 == 1)
        sum += (uint32_t)octets[len - 1] << 8;
    return sum;
}

static uint32_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

static uint32_t client_address(const struct connection *conn)
{
    return CLIENT_NET | (conn->number & 0x00ffffffu);
}

static void put_ipv4(uint8_t *out, const struct connection *conn, int from, size_t total_len)
{
    uint8_t *start_of_header = out;
    out = put16(out, 0x4500); /* version 4, 5 words, no service class */
    out = put16(out, (uint32_t)total_len);
    out = put16(out, ++last_ip_id);
    out = put16(out, 0x4000); /* do not fragment */
    out = put16(out, 64u << 8 | IPPROTO_TCP);
    out = put16(out, 0); /* checksum, see below */
    out = put32(out, from == FROM_CLIENT ? client_address(conn) : SERVER_ADDRESS);
    (void)put32(out, from == FROM_CLIENT ? SERVER_ADDRESS : client_address(conn));
    (void)put16(start_of_header + 10, fold(add_octets(0, start_of_header, IPV4_LEN)));
}

/* Writes the header at `out`; the payload stands behind it already. */
static void put_tcp(uint8_t *out, const struct connection *conn, int from, uint32_t flags,
                    size_t options_len, size_t payload_len)
{
    uint8_t *start_of_header = out;
    out = put16(out, from == FROM_CLIENT ? CLIENT_PORT : SERVER_PORT);
    out = put16(out, from == FROM_CLIENT ? SERVER_PORT : CLIENT_PORT);
    out = put32(out, conn->next_seq[from]);
    out = put32(out, flags & TCP_ACK ? conn->next_seq[!from] : 0);
    out = put16(out, (uint32_t)(TCP_LEN + options_len) / 4 << 12 | flags);
    out = put16(out, 0xffff); /* window */
    out = put16(out, 0);      /* checksum, see below */
    out = put16(out, 0);      /* urgent pointer */
    if (options_len > 0)      /* no-op, then window scale 14: one side may send a lot */
        (void)put32(out, 0x0103030e);
    size_t len = TCP_LEN + options_len + payload_len;
    uint32_t sum = add_octets(IPPROTO_TCP + (uint32_t)len, start_of_header, len);
    uint32_t addresses[2] = {client_address(conn), SERVER_ADDRESS};
    for (size_t i = 0; i < 2; i++)
        sum += (addresses[i] >> 16) + (addresses[i] & 0xffff);
    (void)put16(start_of_header + 16, fold(sum));
}

/* Writes one packet; its `payload_len` octets are in `packet` already, behind the
 * headers without options.  SYN and FIN take one sequence number. */
static void write_packet(struct connection *conn, int from, uint32_t flags, size_t payload_len)
{
    size_t options_len = flags & TCP_SYN ? TCP_OPTIONS_MAX : 0;
    size_t total_len = IPV4_LEN + TCP_LEN + options_len + payload_len;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct pcap_record_header record = {
        .seconds = (uint32_t)now.tv_sec,
        .nanoseconds = (uint32_t)now.tv_nsec,
        .captured_len = (uint32_t)total_len,
        .original_len = (uint32_t)total_len,
    };
    memcpy(packet, &record, sizeof(record));
    put_ipv4(packet + sizeof(record), conn, from, total_len);
    put_tcp(packet + sizeof(record) + IPV4_LEN, conn, from, flags, options_len, payload_len);
    conn->next_seq[from] += (uint32_t)payload_len + ((flags & (TCP_SYN | TCP_FIN)) != 0);
    write_locked(packet, sizeof(record) + total_len);
}

static uint8_t *payload_place(void)
{
    return packet + sizeof(struct pcap_record_header) + IPV4_LEN + TCP_LEN;
}

/* ---- Connections --------------------------------------------------------- */

/* The pointer that leads to connection `number`, or to the end of its bucket. */
static struct connection **find_locked(uint32_t number)
{
    struct connection **link = &buckets[number % BUCKETS];
    while (*link && (*link)->number != number)
        link = &(*link)->next;
    return link;
}

static uint32_t open_locked(bool server_side)
{
    if (file < 0)
        return 0;
    struct connection *conn = calloc(1, sizeof(*conn));
    if (!conn)
        return 0;
    if (++last_number == 0)
        last_number = 1;
    uint32_t number = last_number;
    conn->number = number;
    conn->server_side = server_side;
    struct connection **link = &buckets[number % BUCKETS];
    conn->next = *link;
    *link = conn;
    static const struct {
        int from;
        uint32_t flags;
    } handshake[] = {
        {FROM_CLIENT, TCP_SYN}, {FROM_SERVER, TCP_SYN | TCP_ACK}, {FROM_CLIENT, TCP_ACK}};
    /* A failing write ends the capture and frees `conn`. */
    for (size_t i = 0; i < 3 && file >= 0; i++)
        write_packet(conn, handshake[i].from, handshake[i].flags, 0);
    return file >= 0 ? number : 0;
}

uint32_t capture_open(bool server_side)
{
    if (!capture_enabled())
        return 0;
    pthread_mutex_lock(&lock);
    uint32_t number = open_locked(server_side);
    pthread_mutex_unlock(&lock);
    return number;
}

/* Copies up to SEGMENT_MAX octets out of the vector to the payload's place; `*index`
 * and `*offset` say where it stands. */
static size_t gather(const struct iovec *iov, size_t iov_count, size_t *index, size_t *offset)
{
    uint8_t *out = payload_place();
    size_t len = 0;
    while (len < SEGMENT_MAX && *index < iov_count) {
        size_t left = iov[*index].iov_len - *offset;
        size_t take = left < SEGMENT_MAX - len ? left : SEGMENT_MAX - len;
        if (take > 0)
            memcpy(out + len, (const uint8_t *)iov[*index].iov_base + *offset, take);
        len += take;
        *offset += take;
        if (*offset == iov[*index].iov_len) {
            ++*index;
            *offset = 0;
        }
    }
    return len;
}

static void write_pdus_locked(uint32_t conn_number, bool outgoing, const struct iovec *iov,
                              size_t iov_count)
{
    struct connection *conn = *find_locked(conn_number);
    size_t index = 0;
    size_t offset = 0;
    if (!conn || conn->captured >= captured_max)
        return;
    while (index < iov_count && file >= 0) {
        size_t len = gather(iov, iov_count, &index, &offset);
        int from = conn->server_side == outgoing ? FROM_SERVER : FROM_CLIENT;
        conn->captured += len; /* before a failing write frees it */
        if (len > 0)
            write_packet(conn, from, TCP_PSH | TCP_ACK, len);
    }
}

void capture_pdus(uint32_t conn_number, bool outgoing, const struct iovec *iov, size_t iov_count)
{
    if (conn_number == 0)
        return;
    pthread_mutex_lock(&lock);
    write_pdus_locked(conn_number, outgoing, iov, iov_count);
    pthread_mutex_unlock(&lock);
}

/* Cuts the list to `len` octets; returns how many elements it has then. */
static size_t trim(struct iovec *iov, size_t iov_count, size_t len)
{
    size_t n = 0;
    for (; n < iov_count && len > 0; n++) {
        if (iov[n].iov_len > len)
            iov[n].iov_len = len;
        len -= iov[n].iov_len;
    }
    return n;
}

ssize_t capture_sendmsg(uint32_t conn_number, int fd, struct msghdr *msg, int flags)
{
    for (;;) {
        /* With the lock held nothing may block. */
        pthread_mutex_lock(&lock);
        ssize_t n = sendmsg(fd, msg, flags | MSG_DONTWAIT);
        int error = n < 0 ? errno : 0;
        if (n > 0)
            write_pdus_locked(conn_number, true, msg->msg_iov,
                              trim(msg->msg_iov, msg->msg_iovlen, (size_t)n));
        pthread_mutex_unlock(&lock);
        errno = error;
        if (n >= 0 || (error != EAGAIN && error != EWOULDBLOCK) || flags & MSG_DONTWAIT)
            return n;
        struct pollfd pfd = {.fd = fd, .events = POLLOUT};
        poll(&pfd, 1, -1);
    }
}

static void close_locked(struct connection *conn)
{
    int here = conn->server_side ? FROM_SERVER : FROM_CLIENT;
    write_packet(conn, here, TCP_FIN | TCP_ACK, 0);
    if (file >= 0)
        write_packet(conn, !here, TCP_FIN | TCP_ACK, 0);
    if (file >= 0)
        write_packet(conn, here, TCP_ACK, 0);
}

void capture_close(uint32_t conn_number)
{
    if (conn_number == 0)
        return;
    pthread_mutex_lock(&lock);
    struct connection **link = find_locked(conn_number);
    if (*link)
        close_locked(*link);
    link = find_locked(conn_number); /* gone when a write failed */
    struct connection *conn = *link;
    if (conn)
        *link = conn->next;
    free(conn);
    pthread_mutex_unlock(&lock);
}
