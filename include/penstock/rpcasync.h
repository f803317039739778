/* SPDX-License-Identifier: MIT */
/* rpcasync.h - asynchronous remote procedure calls.
 *
 * A client fills an RPC_ASYNC_STATE, passes it to a stub generated for an
 * [async] operation and is told later how the call went; a server manager
 * receives one and completes the call when it likes, from any thread.
 *
 * Thread rules common to all functions below: they may be called from any
 * thread, but calls on the *same* RPC_ASYNC_STATE (and push or pull on its
 * pipes) are serialised by the application.
 * Source: Windows RPC documentation, "Asynchronous RPC". */
#ifndef PENSTOCK_RPCASYNC_H
#define PENSTOCK_RPCASYNC_H

#include "rpctypes.h"
#include "rpccallattr.h"

PENSTOCK_BEGIN_DECLS

typedef enum _RPC_NOTIFICATION_TYPES {
    RpcNotificationTypeNone = 0,
    RpcNotificationTypeEvent = 1,
    RpcNotificationTypeApc = 2,
    RpcNotificationTypeIoc = 3,
    RpcNotificationTypeHwnd = 4,
    RpcNotificationTypeCallback = 5
} RPC_NOTIFICATION_TYPES;

typedef enum _RPC_ASYNC_EVENT {
    RpcCallComplete = 0,
    RpcSendComplete = 1,
    RpcReceiveComplete = 2,
    RpcClientDisconnect = 3,
    RpcClientCancel = 4
} RPC_ASYNC_EVENT;

/* What a server can subscribe to; bits. */
typedef enum _RPC_NOTIFICATIONS {
    RpcNotificationCallNone = 0,
    RpcNotificationClientDisconnect = 1,
    RpcNotificationCallCancel = 2
} RPC_NOTIFICATIONS;

struct _RPC_ASYNC_STATE;

/* A notification routine.  `Context` is reserved and NULL.  It runs on a thread
 * of the runtime with no lock held; it may call push, pull and the functions of
 * this header on `pAsync`, and must not block. */
typedef void RPC_ENTRY RPCNOTIFICATION_ROUTINE(struct _RPC_ASYNC_STATE *pAsync, void *Context,
                                               RPC_ASYNC_EVENT Event);
typedef RPCNOTIFICATION_ROUTINE *PFN_RPCNOTIFICATION_ROUTINE;

typedef union _RPC_ASYNC_NOTIFICATION_INFO {
    struct {
        PFN_RPCNOTIFICATION_ROUTINE NotificationRoutine;
        HANDLE hThread; /* 0: the thread that made the call (client only) */
    } APC;
    struct {
        HANDLE hIOPort;
        DWORD dwNumberOfBytesTransferred;
        DWORD_PTR dwCompletionKey;
        struct _OVERLAPPED *lpOverlapped;
    } IOC;
    struct {
        HANDLE hWnd;
        UINT Msg;
    } HWND;
    HANDLE hEvent; /* these are objects of penstock/win32.h */
    PFN_RPCNOTIFICATION_ROUTINE NotificationRoutine;
} RPC_ASYNC_NOTIFICATION_INFO, *PRPC_ASYNC_NOTIFICATION_INFO;

/* Ask for RpcSendComplete after each push (calls with pipes only). */
#define RPC_C_NOTIFY_ON_SEND_COMPLETE 0x1
#define RPC_C_INFINITE_TIMEOUT 0xFFFFFFFFu

/* One outstanding call.  Client: the application's memory, valid until the call
 * is complete.  Server: the runtime's memory, valid until Complete or Abort. */
typedef struct _RPC_ASYNC_STATE {
    unsigned int Size;   /* runtime: sizeof(RPC_ASYNC_STATE)                  */
    ULONG Signature;     /* runtime                                           */
    LONG Lock;           /* runtime                                           */
    ULONG Flags;         /* application: 0 or RPC_C_NOTIFY_ON_SEND_COMPLETE   */
    void *StubInfo;      /* runtime                                           */
    void *UserInfo;      /* application; never touched by the runtime         */
    void *RuntimeInfo;   /* runtime; on a server the call's binding handle    */
    RPC_ASYNC_EVENT Event; /* runtime, before it notifies; stable until the
                            * application's next call on this state           */
    RPC_NOTIFICATION_TYPES NotificationType;     /* application               */
    union _RPC_ASYNC_NOTIFICATION_INFO u;        /* application               */
    LONG_PTR Reserved[4];
} RPC_ASYNC_STATE, *PRPC_ASYNC_STATE;

#define RPC_ASYNC_VERSION_1_0 sizeof(RPC_ASYNC_STATE)

/* Prepares `pAsync`, the caller's memory, for one call: every field but Size and
 * Signature becomes zero (no notification, no flags).  Call it before each call.
 * `Size` is sizeof(RPC_ASYNC_STATE).
 * RPC_S_OK; RPC_S_INVALID_ARG: wrong Size; RPC_S_INVALID_ASYNC_HANDLE: pAsync is
 * NULL, or belongs to a call still in progress. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcAsyncInitializeHandle(PRPC_ASYNC_STATE pAsync,
                                                           unsigned int Size);

/* Obsolete, kept for source compatibility: the runtime reads the notification
 * fields each time it needs them.
 * RPC_S_OK; RPC_S_INVALID_ASYNC_HANDLE. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcAsyncRegisterInfo(PRPC_ASYNC_STATE pAsync);

/* Client: is the call still running?  Acknowledges the last notification.
 * RPC_S_ASYNC_CALL_PENDING: yes.  RPC_S_OK: complete, collect it with
 * RpcAsyncCompleteCall.  RPC_S_INVALID_ASYNC_HANDLE: no call is outstanding on
 * `pAsync`.  Any other status: the call failed with it; it must still be
 * collected with RpcAsyncCompleteCall. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcAsyncGetCallStatus(PRPC_ASYNC_STATE pAsync);

/* Client: collects the reply; `Reply` (borrowed, large enough for the operation's
 * result, ignored for void) receives the result, [out] parameters are filled.
 * Server: sends the reply; `Reply` points to the result, read only when the
 * operation has one.  Once per call, from any thread, also inside the manager.
 *
 * RPC_S_OK.  RPC_S_ASYNC_CALL_PENDING (client only): too early, nothing changed.
 * Every other status is final: the call is gone and `pAsync` may be reused.
 * RPC_S_INVALID_ASYNC_HANDLE, RPC_S_INVALID_ASYNC_CALL: no such call.
 * RPC_S_CALL_CANCELLED; RPC_S_CALL_FAILED, RPC_S_CALL_FAILED_DNE,
 * RPC_S_SERVER_UNAVAILABLE: the connection broke; RPC_X_BAD_STUB_DATA: the
 * reply is malformed; RPC_X_PIPE_DISCIPLINE_ERROR: a pipe was not finished (the
 * call has failed, on the server the client is sent a fault);
 * RPC_S_OUT_OF_MEMORY; any code the server raised or aborted with. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcAsyncCompleteCall(PRPC_ASYNC_STATE pAsync, void *Reply);

/* Server: ends the call with a fault that carries `ExceptionCode` (non-zero).
 * Instead of, never after, RpcAsyncCompleteCall.
 * RPC_S_OK; RPC_S_INVALID_ARG: ExceptionCode is 0; RPC_S_INVALID_ASYNC_HANDLE,
 * RPC_S_INVALID_ASYNC_CALL: no such call, or the call is already over. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcAsyncAbortCall(PRPC_ASYNC_STATE pAsync,
                                                    unsigned long ExceptionCode);

/* Client: asks the server to give up (`fAbort` FALSE: the call completes when the
 * server answers) or also ends the call here at once with RPC_S_CALL_CANCELLED
 * (`fAbort` TRUE).  Either way one RpcCallComplete follows and the call must be
 * collected with RpcAsyncCompleteCall.  On a call already complete: no effect.
 * RPC_S_OK; RPC_S_INVALID_ASYNC_HANDLE. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcAsyncCancelCall(PRPC_ASYNC_STATE pAsync, BOOL fAbort);

/* Server: the binding handle of the call, for RpcServerTestCancel and kin. */
#define RpcAsyncGetCallHandle(pAsync) (((PRPC_ASYNC_STATE)(pAsync))->RuntimeInfo)

/* Server: RPC_S_OK when the call behind `BindingHandle` (NULL: the call this
 * thread is executing) was cancelled or its client is gone;
 * RPC_S_CALL_IN_PROGRESS when not; RPC_S_NO_CALL_ACTIVE; RPC_S_INVALID_BINDING. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerTestCancel(RPC_BINDING_HANDLE BindingHandle);

/* Server: asks to be told, once each, when the client of the call goes away
 * (RpcNotificationClientDisconnect) or cancels it (RpcNotificationCallCancel, also with
 * an abortive cancel); both bits together unless the type is Event, which could not say
 * which it was.  What has happened already is told at once.  `Binding`: of the call,
 * NULL for the one this thread executes.  `NotificationInfo` is copied; its objects must
 * outlive the subscription.  Routines get the asynchronous state, of a synchronous call
 * its binding handle, NULL, and RpcClientDisconnect or RpcClientCancel.  Any thread; to
 * be taken back before the call completes, with which it ends.
 * RPC_S_OK; RPC_S_CANNOT_SUPPORT: other bits, type Hwnd; RPC_S_INVALID_ARG: no bit, type
 * None, no object or routine for the type (an APC needs a thread), subscribed already;
 * RPC_S_NO_CALL_ACTIVE; RPC_S_INVALID_BINDING; RPC_S_OUT_OF_MEMORY;
 * RPC_S_OUT_OF_THREADS.
 * learn.microsoft.com, RpcServerSubscribeForNotification. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerSubscribeForNotification(
    RPC_BINDING_HANDLE Binding, DWORD Notification, RPC_NOTIFICATION_TYPES NotificationType,
    RPC_ASYNC_NOTIFICATION_INFO *NotificationInfo);

/* Server: takes one subscription back.  *NotificationsQueued: how many notifications of
 * the call were queued in all; those the program has not had yet still come.
 * RPC_S_OK; RPC_S_CANNOT_SUPPORT: not one bit; RPC_S_INVALID_ARG: NULL, or not
 * subscribed; RPC_S_NO_CALL_ACTIVE; RPC_S_INVALID_BINDING. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUnsubscribeForNotification(
    RPC_BINDING_HANDLE Binding, RPC_NOTIFICATIONS Notification,
    unsigned long *NotificationsQueued);

/* Waits on Windows for what a thread has under way; here the runtime owns that, so that a
 * thread may end at any time.  `dwTimeout`, milliseconds, is not looked at.  RPC_S_OK. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcAsyncCleanupThread(DWORD dwTimeout);

/* ---- Extensions ---------------------------------------------------------- */

/* Client: the call on `pAsync` (initialised) is to be complete within `Milliseconds` from
 * now; if it is not it completes with RPC_S_CALL_CANCELLED as after
 * RpcAsyncCancelCall(pAsync, TRUE): the server is told, a blocked push returns, one
 * RpcCallComplete follows.  A call that is running gets this deadline instead of the one it
 * had; without one it is that of the next call made with `pAsync`, whose stub raises
 * RPC_S_CALL_CANCELLED when the time is over before the request has left.
 * RPC_C_INFINITE_TIMEOUT takes the deadline back.  No effect on a call that is complete.
 * Precise to about a millisecond; any number of calls may have one.  Unlike the functions
 * above it does not say that the last notification was seen.
 * RPC_S_OK; RPC_S_INVALID_ASYNC_HANDLE: not initialised; RPC_S_INVALID_ASYNC_CALL: a
 * server's; RPC_S_OUT_OF_RESOURCES: the call has the deadline it had before. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcxAsyncSetDeadline(PRPC_ASYNC_STATE pAsync,
                                                       DWORD Milliseconds);

/* Sets the water marks of an asynchronous pipe, in octets queued in the runtime
 * per direction, through the pipe's `state`.  A push that finds more than `high`
 * queued blocks until `low` is reached (never inside a notification routine);
 * the receiving runtime stops reading at `high`.  `high` 0: no limit, as Windows
 * documents it.  With `state` NULL the default of pipes made later is set.
 * RPC_S_OK; RPC_S_INVALID_ARG: low > high; RPC_X_INVALID_PIPE_OBJECT. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcxPipeSetLimits(char *state, size_t high, size_t low);

/* What one pipe has done since its call began; see RpcxPipeInqStats. */
typedef struct _RPCX_PIPE_STATS {
    ULONG64 ElementsPushed; /* that a push has accepted                                  */
    ULONG64 ElementsPulled; /* that a pull has given                                     */
    ULONG64 OctetsPushed;   /* of these elements on the wire, without what frames them   */
    ULONG64 OctetsPulled;
    ULONG64 OctetsQueued;   /* now: pushed and not yet with the transport, and arrived   *
                             * and not yet pulled; with what frames them                 */
    ULONG64 TimesBlocked;   /* pushes that waited for room, pulls that found nothing;    *
                             * each time counts when it is over                          */
    ULONG64 LongestWaitUs;  /* microseconds, also of a wait that still goes on           */
} RPCX_PIPE_STATS;

/* Says what the pipe behind `state` (of an asynchronous pipe of either side, or of a
 * synchronous one of a server) has moved, holds, and how long it made the application
 * wait.  A push waits at the high mark or, in a tight loop, for the transport (there less
 * than a millisecond does not count); a pull that returned RPC_S_ASYNC_CALL_PENDING waits
 * until RpcReceiveComplete is due.  Fills *Stats, the caller's; `Size` is its size, which
 * may grow.  Any thread, at any time, also while a push waits on another; acknowledges no
 * notification.
 * RPC_S_OK; RPC_S_INVALID_ARG: Stats is NULL, another Size; RPC_X_INVALID_PIPE_OBJECT: no
 * pipe's state; RPC_X_PIPE_CLOSED, or what the call failed with: the call is over. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcxPipeInqStats(char *state, RPCX_PIPE_STATS *Stats,
                                                   unsigned int Size);

PENSTOCK_END_DECLS

#endif
