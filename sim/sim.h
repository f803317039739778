/* SPDX-License-Identifier: MIT */
/* sim.h - deterministic simulation of src/proto: what the files of it share.
 *
 *   client peer ==octets==> pipe ==octets==> server peer      one thread, one seed,
 *        <=================== pipe <==================        virtual microseconds
 *
 * A peer plays the runtime around a real association: producers push elements,
 * consumers pull them, managers fail, users lose patience.  A pipe plays the
 * network.  A watch (check.c) reads along on the wire and knows nothing of either.
 * See docs/design/simulation.md. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <penstock/rpcnterr.h>

#include "proto/assoc.h"
#include "proto/chunk.h"

#define SIM_NEVER     UINT64_MAX
#define SIM_CALLS_MAX 8u
/* Pipes of one direction of a call. */
#define SIM_PIPES_MAX 4u
/* A call and those inside it, one in the other. */
#define SIM_DEPTH_MAX 5u
/* From here on nothing stalls, cancels or fails any more; microseconds. */
#define SIM_CALM_US 3000000u
/* By then everything must have come to an end. */
#define SIM_END_US 60000000u

struct sim;

/* ---- Chance --------------------------------------------------------------- */

struct sim_random {
    uint64_t state;
};

uint64_t sim_random_next(struct sim_random *random);
/* 0 to bound - 1; bound > 0. */
uint32_t sim_below(struct sim_random *random, uint32_t bound);
/* low to high, often near low. */
uint32_t sim_skewed(struct sim_random *random, uint32_t low, uint32_t high);
/* True `percent` times in a hundred. */
bool sim_chance(struct sim_random *random, uint32_t percent);

/* ---- Memory of the code under test ---------------------------------------- */

/* Every malloc() of the program counts as the core's; the simulator's own memory
 * comes from sim_alloc(), which never fails. */
void *sim_alloc(size_t len);
void sim_free(void *memory);
long sim_heap_live(void);
/* From now on one request in `one_in` fails; 0: none. */
void sim_heap_fail(uint32_t one_in, uint64_t seed);

/* ---- Pipe ----------------------------------------------------------------- */

struct sim_segment {
    uint64_t ready_us; /* when its octets can be read */
    size_t len;
};

#define SIM_SEGMENTS 64u

/* One direction of the connection. */
struct sim_pipe {
    struct sim_random *random;
    uint8_t *octets; /* ring */
    size_t capacity, head, len;
    struct sim_segment segments[SIM_SEGMENTS]; /* ring */
    unsigned segment_head, segment_count;
    uint64_t last_ready_us; /* octets never overtake each other               */
    uint32_t delay_us;      /* longest usual delay                            */
    uint64_t calm_us;       /* no stalls from then on                         */
    uint64_t written;       /* octets ever                                    */
    uint64_t cut_at;        /* the connection breaks behind this octet        */
    uint32_t flip_one_in;   /* octets per flipped bit; 0: none                */
    uint64_t flips;
    bool ended;            /* nothing more will be written: end of stream behind the rest */
    struct sim_pipe *back; /* other direction, breaks too                     */
};

void sim_pipe_init(struct sim_pipe *pipe, struct sim_random *random, struct sim_pipe *back);
void sim_pipe_fini(struct sim_pipe *pipe);
/* Takes 0 to `len` octets. */
size_t sim_pipe_write(struct sim_pipe *pipe, uint64_t now_us, const uint8_t *octets, size_t len);
bool sim_pipe_writable(const struct sim_pipe *pipe);
/* When there is something to read: octets or the end of the stream. */
uint64_t sim_pipe_readable_us(const struct sim_pipe *pipe);
/* 0 with *ret_end: the end. */
size_t sim_pipe_read(struct sim_pipe *pipe, uint64_t now_us, uint8_t *octets, size_t cap,
                     bool *ret_end);
void sim_pipe_end(struct sim_pipe *pipe);

/* ---- Plans ---------------------------------------------------------------- */

struct sim_stream {
    const struct chunk_layout *layout;
    uint32_t elements;
};

/* What one direction of a call carries: head octets, pipes, tail octets. */
struct sim_stub {
    uint64_t seed; /* of the contents */
    uint32_t head_len, tail_len;
    struct sim_stream pipes[SIM_PIPES_MAX];
    unsigned pipe_count;
    uint64_t stop_at;                /* octets; there the consumer sleeps until calm */
    uint32_t push_max;               /* elements per push            */
    uint32_t pull_max;               /* octets per pull              */
    uint32_t produce_us, consume_us; /* pause after a push or a pull */
};

/* A call, or one inside it: even levels go to the server, odd ones back. */
struct sim_level {
    struct sim_stub request, response;
    unsigned times;     /* so often within one of the level above              */
    RPC_STATUS fault;   /* the manager raises it; 0: none                      */
    bool fault_in;      /* ... in the request, else in the response            */
    uint32_t fault_at;  /* ... when so many elements have passed               */
};

/* One call, decided before it begins. */
struct sim_plan {
    struct sim_level levels[SIM_DEPTH_MAX];
    unsigned depth; /* levels in use */
    uint64_t start_us;
    bool has_object;
    bool reject;        /* the server does not take it                         */
    bool obey_cancel;   /* the manager gives in to a co_cancel                 */
    uint64_t abort_us;  /* the manager raises SIM_ABORTED so long after it began */
    uint64_t cancel_us; /* the client sends it so long after the call's begin  */
    uint64_t orphan_us; /* the client gives the call up so long after          */
};

/* The interface of all calls. */
extern const struct pdu_syntax sim_iface;

/* What a manager raises out of the blue. */
#define SIM_ABORTED 0x4ab0

/* All elements of a stub. */
uint32_t sim_stub_elements(const struct sim_stub *stub);

/* Contents of a stub: octet `at` of its head, of its tail, of element `index` of a pipe. */
uint8_t sim_head_octet(const struct sim_stub *stub, uint32_t at);
uint8_t sim_tail_octet(const struct sim_stub *stub, uint32_t at);
uint8_t sim_element_octet(const struct sim_stub *stub, unsigned pipe, uint32_t index,
                          uint32_t at);

/* ---- One end of one call -------------------------------------------------- */

/* Sending a stub, as a runtime does: push by push. */
struct sim_tx {
    const struct sim_stub *stub;
    unsigned pipe;     /* the next element's             */
    uint32_t elements; /* pushed, of it                  */
    uint32_t total;    /* pushed, of all                 */
    bool begun, ended;
    uint64_t next_us; /* of the next push    */
    bool at_high;     /* waits for low water */
};

/* Receiving one: what has come waits in a queue until the consumer takes it. */
struct sim_rx {
    const struct sim_stub *stub;
    uint8_t *queue;
    size_t queue_len, queue_cap;
    uint64_t offset; /* stub octets consumed                          */
    struct chunk_reader reader;
    unsigned pipe;         /* whose elements come; pipe_count: all are over */
    uint32_t elements;     /* of it: checked, whole                         */
    uint32_t passed;       /* of the pipes before it                        */
    uint64_t chunk_before; /* elements of it before the current chunk       */
    uint32_t chunk_count;
    uint64_t tail_offset; /* where the last pipe was over                     */
    bool little_endian;
    bool last; /* the LAST fragment is in the queue                           */
    uint64_t next_us;     /* of the next pull                              */
};

void sim_rx_init(struct sim_rx *rx, const struct sim_stub *stub, bool little_endian);
void sim_rx_fini(struct sim_rx *rx);
void sim_rx_add(struct sim_rx *rx, const uint8_t *octets, size_t len);
/* Checks up to `max` octets.  False: they are not what was sent. */
bool sim_rx_consume(struct sim_rx *rx, size_t max);
/* All of the stub was consumed, and it was complete. */
bool sim_rx_complete(const struct sim_rx *rx);

/* The next push of `tx`, the end of its pipe, or of all.  RPC_S_OK, or what call_send()
 * said. */
RPC_STATUS sim_tx_push(struct sim *sim, struct sim_tx *tx, struct call *call, uint32_t elements);
RPC_STATUS sim_tx_close(struct sim *sim, struct sim_tx *tx, struct call *call);
RPC_STATUS sim_tx_end(struct sim *sim, struct sim_tx *tx, struct call *call);

/* ---- Peer ----------------------------------------------------------------- */

enum sim_call_state {
    SIM_CALL_WAITING, /* not begun                                  */
    SIM_CALL_RUNNING,
    SIM_CALL_OVER
};

struct sim_call {
    struct call wire;
    struct call_link link; /* of `wire` */
    enum sim_call_state state;
    unsigned index, depth; /* of its plan, which is its opnum; its level  */
    unsigned nested_count; /* calls begun inside it                      */
    struct sim_tx tx;
    struct sim_rx rx;
    uint64_t begun_us, over_us;
    bool cancel_sent;
    bool cancel_seen; /* by a manager that obeys */
    bool received;     /* all of the peer's stub has come and was right */
    RPC_STATUS status; /* how it ended (client)                     */
    bool gave_up;      /* ... namely orphaned                       */
};

struct sim_peer {
    struct sim *sim;
    const char *name;
    struct assoc assoc;
    struct sim_pipe *in, *out;
    uint8_t *input; /* octets of an incomplete PDU */
    size_t input_len;
    struct sim_call calls[SIM_CALLS_MAX][SIM_DEPTH_MAX]; /* by plan and level, on both sides */
    uint64_t read_us, write_us;           /* not before                        */
    uint64_t close_us;                    /* client: hangs up then             */
    bool stopped;                         /* a queue is above the high mark    */
    bool closed;                          /* has left the connection           */
};

void sim_peer_init(struct sim_peer *peer, struct sim *sim, enum assoc_role role,
                   struct sim_pipe *in, struct sim_pipe *out);
void sim_peer_fini(struct sim_peer *peer);
/* When it has something to do, and doing it. */
uint64_t sim_peer_next_us(const struct sim_peer *peer);
void sim_peer_run(struct sim_peer *peer);

/* What the roles do with events and time, in client.c and server.c. */
void sim_client_event(struct sim_peer *peer, const struct assoc_event *event);
uint64_t sim_client_next_us(const struct sim_peer *peer);
void sim_client_run(struct sim_peer *peer);
void sim_client_lost(struct sim_peer *peer, RPC_STATUS status);
void sim_server_event(struct sim_peer *peer, const struct assoc_event *event);
void sim_server_lost(struct sim_peer *peer);

/* The same for either role where it has the manager, in manager.c. */
void sim_manager_request(struct sim_peer *peer, const struct assoc_event *event);
uint64_t sim_manager_next_us(const struct sim_peer *peer, const struct sim_call *call);
void sim_manager_run(struct sim_peer *peer, struct sim_call *call);

/* And where its manager calls back, in nested.c. */
bool sim_nested_may_begin(const struct sim_peer *peer, const struct sim_call *outer);
void sim_nested_begin(struct sim_peer *peer, struct sim_call *outer);
void sim_nested_event(struct sim_peer *peer, const struct assoc_event *event);
void sim_nested_run(struct sim_peer *peer, struct sim_call *call);

/* Does this side send the call's request?  Has somebody on this side begun a request and
 * not ended it? */
bool sim_is_caller(const struct sim_peer *peer, const struct sim_call *call);
bool sim_is_requesting(const struct sim_peer *peer);
const struct sim_plan *sim_plan_of(const struct sim_peer *peer, const struct sim_call *call);
const struct sim_level *sim_level_of(const struct sim_peer *peer, const struct sim_call *call);
/* The call inside it, NULL when the plan has none. */
struct sim_call *sim_inner(const struct sim_peer *peer, const struct sim_call *call);
/* No troubles but those of managers and users. */
bool sim_is_clean(const struct sim *sim);

/* For both: something was pushed, all of it borrowed; it is ours no longer. */
void sim_peer_pushed(struct sim_peer *peer);
/* Producers and consumers: when the next step is due, whether it is, and how much
 * they take. */
uint64_t sim_tx_next_us(const struct sim_peer *peer, const struct sim_call *call);
bool sim_tx_due(struct sim_peer *peer, struct sim_call *call);
/* One push, or the end once `elements_max` are out.  As sim_tx_push(). */
RPC_STATUS sim_tx_step(struct sim_peer *peer, struct sim_call *call, uint32_t elements_max);
uint64_t sim_rx_next_us(const struct sim_call *call);
/* One pull, if it is time.  False: wrong octets. */
bool sim_rx_step(struct sim_peer *peer, struct sim_call *call);
/* A call leaves the peer's association; the second: with all that run inside it. */
void sim_call_over(struct sim_peer *peer, struct sim_call *call);
void sim_call_over_nested(struct sim_peer *peer, struct sim_call *call);

/* ---- Watch ---------------------------------------------------------------- */

#define SIM_ODD_ENDS 8192u

/* One of the calls with the same id, each inside the one before. */
struct sim_seen_level {
    bool request_begun, request_ended, response_begun;
};

/* What was seen on the wire of one call id. */
struct sim_seen {
    uint32_t call_id;
    struct sim_seen_level levels[SIM_DEPTH_MAX];
    unsigned depth; /* of the innermost          */
    bool over, orphaned;
    /* of the outermost */
    uint64_t stub_len[2];               /* by direction                                  */
    uint64_t odd_ends[2][SIM_ODD_ENDS]; /* ring: ends of pushes that are no multiple of 8 */
    unsigned odd_head[2], odd_count[2];
};

struct sim_watch {
    uint8_t *partial[2]; /* octets of a PDU not complete yet, by direction */
    size_t partial_len[2];
    struct sim_seen seen[SIM_CALLS_MAX];
    unsigned seen_count;
    uint32_t last_call_id; /* begun by the client */
    uint32_t incoming[2];  /* by direction: call whose request is incomplete, 0: none */
    bool bound;
    uint64_t pdus;
};

/* The direction of a peer's output. */
enum { SIM_TO_SERVER, SIM_TO_CLIENT };

void sim_watch_init(struct sim_watch *watch);
void sim_watch_fini(struct sim_watch *watch);
void sim_watch_octets(struct sim *sim, int direction, const uint8_t *octets, size_t len);
/* A push of call `call_id` ends where its stub has `offset` octets: only there may
 * a fragment end at an odd multiple of 4. */
void sim_watch_push(struct sim *sim, int direction, uint32_t call_id, uint64_t offset);

/* ---- The whole ------------------------------------------------------------ */

/* Kinds of trouble a seed brings. */
struct sim_trouble {
    bool cut, flip, memory, stalls, cancels, faults;
};

struct sim {
    uint64_t seed, now_us;
    unsigned nested_ok;
    struct sim_random random;
    struct sim_trouble trouble;
    unsigned call_count;
    struct sim_plan plans[SIM_CALLS_MAX];
    size_t high, low;     /* water marks of every queue, octets              */
    uint16_t frag_max[2]; /* client's, server's                           */
    bool alone;           /* one call at a time, as without multiplexing      */
    unsigned syntaxes;    /* the server's, ASSOC_*                            */
    bool ndr64;           /* calls are made in it                             */
    struct sim_pipe pipes[2];
    struct sim_peer client, server;
    struct sim_watch watch;
    bool trace;
    bool calm; /* troubles are over */
};

/* What came out of a run, for statistics over many. */
struct sim_result {
    unsigned ok, faulted, cancelled, given_up, lost, never_begun;
    unsigned nested, many_pipes, ndr64; /* calls inside calls; of those that succeeded */
    uint64_t pdus, end_us;
    uint64_t octets; /* of stubs received */
};

/* Where a failing seed is noted; NULL: nowhere. */
extern const char *sim_failures_file;

/* Runs one seed to its end; a broken rule ends the program. */
void sim_run(uint64_t seed, bool trace, struct sim_result *ret_result);

/* A rule is broken: says which, and how to see it again. */
_Noreturn void sim_fail(const struct sim *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sim_trace(const struct sim *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
