/* SPDX-License-Identifier: MIT */
/* limits.h - every bound of the library, its unit and why it has this value.
 * A limit that a peer can run into is a promise: past it there is a fault or a
 * closed connection, never growth. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* Fragment sizes, octets.  5,840 is what Windows offers and answers on TCP (four
 * Ethernet segments of 1,460); larger ones gain nothing once many fragments go
 * out per system call.  65,528 is the largest multiple of 8 that frag_length
 * holds.  1,432 is MustRecvFragSize of C706. */
#define LIMIT_FRAG_TCP 5840u
#define LIMIT_FRAG_LOCAL 65528u
#define LIMIT_FRAG_MIN 1432u

/* Presentation contexts kept per association; elements of a bind past that are answered
 * "local limit exceeded". */
#define LIMIT_CONTEXTS 256u

/* Calls outstanding on one association; the server refuses more as too busy. */
#define LIMIT_CALLS_PER_ASSOC 1024u

/* Calls inside each other on one association: callbacks, calls from their routines,
 * and so on, each with frames of the program on the stack of the thread that waits. */
#define LIMIT_CALL_NESTING 32u

/* Octets of one request without its pipes, gathered before unmarshalling: 4 MiB, as Windows
 * has it, unless the interface was registered with another MaxRpcSize.  Callbacks and their
 * answers are held to it, too. */
#define LIMIT_STUB_LEN (4u << 20)
/* The most an interface may ask for, and what is sent: lengths stay below 2 GiB, and a receiver
 * of MS-RPCE (3.3.2.5.2) takes no more. */
#define LIMIT_STUB_LEN_MAX 0x7fffffffu
/* The same of a response: servers send larger ones than they take; Samba's client has this
 * limit. */
#define LIMIT_RESPONSE_LEN (240u << 20)

/* Answers a client leaves unread, octets: past it the server reads no more of its
 * requests.  Above the high water mark of a pipe, so that a cancel is heard while a
 * push waits there. */
#define LIMIT_UNREAD_LEN (2u << 20)

/* Consecutive fragments without a single stub octet that a call may send. */
#define LIMIT_EMPTY_FRAGS 16u

/* Octets of a dead call a server swallows before it closes the connection: time
 * for the fault to arrive at a client that is still sending. */
#define LIMIT_ABSORB_LEN (64u << 20)

/* Water marks of an asynchronous pipe, octets per direction. */
#define LIMIT_PIPE_HIGH (1u << 20)
#define LIMIT_PIPE_LOW (256u << 10)

/* Packets a program may post to one completion port and not take. */
#define LIMIT_PORT_PACKETS (1u << 20)

/* One receive: large enough for dozens of fragments per system call.  On TCP less than
 * the buffer: what the kernel copied should still be in the processor's cache when the
 * application's buffer gets it.  A Unix socket is emptied at one go, so that its sender
 * runs on. */
#define LIMIT_RECV_LEN (256u << 10)
#define LIMIT_RECV_TCP (128u << 10)
/* The least a receive asks for, whatever the limits of pipes leave: one fragment of TCP. */
#define LIMIT_RECV_LEAST LIMIT_FRAG_TCP
/* Receive buffers kept warm for reuse, process wide. */
#define LIMIT_RECV_BUFFERS_KEPT 8u
/* Received octets below this are copied out so that they do not pin a receive
 * buffer of LIMIT_RECV_LEN. */
#define LIMIT_RECV_COMPACT (32u << 10)

/* A pull that finds nothing looks again for so long, microseconds, if the last
 * receive brought at least so many octets: about what waking a sleeping receiver
 * costs (docs/design/performance.md). */
#define LIMIT_SPIN_US 40u
#define LIMIT_SPIN_LEN (16u << 10)

/* After so many operations in a row that left a connection to the application, it is not
 * even in the epoll set. */
#define LIMIT_LAZY_OPS 16u

/* Pushes that follow each other within this time, microseconds, are one loop. */
#define LIMIT_TIGHT_LOOP_US 100u

/* What such a loop spends in the transport is noted as a wait from so many microseconds
 * on: the system call alone takes some tens. */
#define LIMIT_WAIT_NOTED_US 1000u

/* How long a server thread waits for the next request of a client that has been
 * calling in a loop, microseconds: the shortest time-out a socket has. */
#define LIMIT_PROMPT_US 4000

/* One slice of a large push: fragmented and sent before the next is looked at. */
#define LIMIT_PUSH_SLICE (1000u << 10)
/* Pushes are collected to as much; on a Unix socket to what keeps its buffer full. */
#define LIMIT_COLLECT_LOCAL (340u << 10)
/* Octets of short requests, or short replies, that are gathered until a thread has dealt with all
 * that one receive brought: more is sent at once.  64 calls of 88 octets on a Unix socket, as many
 * times as raw round trips: 0.5 KB 2.1, 1 KB 2.4, 2 and 4 KB 2.6, 8 KB, which is all of them, 2.8,
 * and no more than that with 64 KiB.  So that is what 64 calls of 1 KiB take. */
#define LIMIT_GATHER_LEN (64u << 10)
/* No longer than this, microseconds; if what runs then takes its time another thread sends.  It is
 * how often a timer wakes that thread, mostly in vain.  On a Unix socket, as above: 200 us 2.5,
 * 500 us 2.8, 1 ms 3.0, never 3.15. */
#define LIMIT_GATHER_US 500u
/* And not before as many managers or routines, one after the other, were quick: a manager is if
 * it answers within so many microseconds.  So one that is not makes a reply wait once. */
#define LIMIT_GATHER_AFTER 64u
#define LIMIT_GATHER_RUN_US 50u
/* iovec elements per sendmsg; IOV_MAX is 1,024 on Linux. */
#define LIMIT_SEND_IOV 512u

/* Connections a client keeps idle per server.  Where they are cleaned up, see
 * RpcMgmtEnableIdleCleanup: how long each may lie idle (milliseconds); the same with more than so
 * many connections in all, which is also what begins it unasked when one association has them
 * (MS-RPCE 3.3.2.6.2). */
#define LIMIT_IDLE_CONNS 64u
#define LIMIT_IDLE_MS 10000u
#define LIMIT_IDLE_MANY_MS 5000u
#define LIMIT_IDLE_MANY_CONNS 500u
/* Asynchronous calls without pipes that a client puts on one connection; with those of a
 * binding handle whose calls are to begin in order, as many as a server of ours takes. */
#define LIMIT_MULTIPLEX 64u
#define LIMIT_MULTIPLEX_ORDERED LIMIT_CALLS_PER_ASSOC
/* Calls without an order are spread over as many connections before they share one. */
#define LIMIT_SPREAD_CONNS 4u

/* Asynchronous managers begin one after the other, so that what the first hands off is
 * before what the second does.  One that has not returned after this time, milliseconds,
 * does not hand off, and is waited for no longer. */
#define LIMIT_HAND_OFF_MS 100u

/* Connections one server process holds. */
#define LIMIT_SERVER_CONNS 65536u
/* Threads of the pool beyond the cores, all blocked in managers. */
#define LIMIT_POOL_THREADS 512u
/* With several managers running, how long their threads have to return before another
 * is started, microseconds. */
#define LIMIT_SPAWN_US 1000
/* While one of these managers computes: until it has run so long, microseconds; and how often
 * LIMIT_SPAWN_US at most, should it have to wait for a processor. */
#define LIMIT_SPAWN_RUN_US 20000u
#define LIMIT_SPAWN_ROUNDS 200u
/* How long a surplus pool thread stays idle before it leaves, milliseconds. */
#define LIMIT_POOL_LINGER_MS 500

/* Period of the tick that looks after connections left unarmed, milliseconds;
 * see io/reactor.h. */
#define LIMIT_TICK_MS 2u
#define LIMIT_TICK_MAX_MS 16u /* while connections are busy all the time */

/* A connection that was accepted must be bound within this time, milliseconds; and one whose
 * association is over may swallow what its peer still sends for as long. */
#define LIMIT_BIND_MS 30000u
/* A TCP client that has been silent for so long, seconds, is asked whether it is still there:
 * what Linux and Windows both do where a program asks for no other time. */
#define LIMIT_KEEP_ALIVE_S 7200u

/* Context handles a client, that is an association group, may hold: past it a call that
 * returns one more fails with RPC_S_OUT_OF_RESOURCES. */
#define LIMIT_CONTEXTS_PER_GROUP 16384u
/* Context handles in one request or reply, in arrays mostly: each is looked up by itself. */
#define LIMIT_CONTEXTS_PER_CALL 4096u

/* Records of extended error information a chain may have: what a peer sends beyond that is
 * not looked at, what a program adds pushes the oldest out of sight. */
#define LIMIT_ERROR_RECORDS 64u

/* Connection attempt, milliseconds, all addresses of a host together: so much for each
 * step of RpcMgmtSetComTimeout's scale, 30 seconds in its middle. */
#define LIMIT_CONNECT_STEP_MS 5000u
/* Threads of the pool that ask name servers for asynchronous calls: a name nobody answers
 * for keeps one for as long as the resolver tries, half a minute or more. */
#define LIMIT_RESOLVERS 8u
/* A Unix socket's server with a full backlog is tried again after as much, milliseconds. */
#define LIMIT_BACKLOG_RETRY_MS 5u

/* The endpoint mapper (penstock-epmd): entries it keeps in all, some dozen MiB; of one user of
 * this computer, so that no single one can fill it; registrations, that is server processes, of
 * one user; searches that clients may have begun and not ended, past which a client gets what
 * one answer holds. */
#define LIMIT_EPM_ENTRIES 65536u
#define LIMIT_EPM_USER_ENTRIES 32768u
#define LIMIT_EPM_USER_REGISTRATIONS 8192u
#define LIMIT_EPM_SEARCHES 16384u
/* Endpoints one process has registered with RpcEpRegister: a quarter of a user's. */
#define LIMIT_EP_REGISTERED 8192u
/* Entries in one request to the endpoint mapper, ours and in answers to us: MS-RPCE 2.2.1.2
 * allows 500. */
#define LIMIT_EP_BATCH 100u
/* Towers a client asks for when it resolves an endpoint, to choose one of. */
#define LIMIT_EP_TOWERS 16u
/* A server whose endpoint mapper has died tries to register again after the first time, and
 * doubles that up to the second, milliseconds. */
#define LIMIT_EP_RETRY_MS 100u
#define LIMIT_EP_RETRY_MAX_MS 10000u
/* One that does not answer is tried again after more than this at first: each try takes
 * LIMIT_CONNECT_STEP_MS. */
#define LIMIT_EP_RETRY_SILENT_MS 1000u

/* Server call states that stay addressable after their call ended, see
 * runtime/server_call.c (AP-18). */
#define LIMIT_QUARANTINE 4096u

#endif
