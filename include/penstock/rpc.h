/* SPDX-License-Identifier: MIT */
/* rpc.h - what a program that uses RPC includes; also exceptions.
 *
 * Synchronous client stubs and some API functions report failures by raising an
 * exception, an RPC_STATUS that travels up the call stack to the nearest handler:
 *
 *     RpcTryExcept {
 *         Call(handle, 42);
 *     }
 *     RpcExcept(1) {
 *         printf("failed: %u\n", (unsigned)RpcExceptionCode());
 *     }
 *     RpcEndExcept
 *
 * RpcExcept(filter): 0 passes the exception outward, anything else handles it here.
 * RpcTryFinally { ... } RpcFinally { ... } RpcEndFinally runs the second block after
 * the first one also when an exception passes; inside it RpcAbnormalTermination()
 * says whether one does.
 *
 * Built on setjmp and longjmp, hence these limits:
 *   - A local variable changed inside a guarded block and read after the exception
 *     must be volatile, except where the compiler is GCC, whose own form of setjmp
 *     keeps variables right.
 *   - The filter runs after the stack was unwound; EXCEPTION_CONTINUE_EXECUTION
 *     counts as EXCEPTION_EXECUTE_HANDLER.
 *   - return, goto, break and continue may leave any of the blocks (the compiler's
 *     cleanup attribute removes the handler), but then a finally block is not run.
 *   - In C++ no object with a destructor may live between the place that raises and
 *     the handler.
 * Cost: a setjmp that saves no signal mask and two function calls per block, some
 * nanoseconds.
 * Source: Windows RPC documentation, "Exception Handling". */
#ifndef PENSTOCK_RPC_H
#define PENSTOCK_RPC_H

#include <setjmp.h>

#include "rpcasync.h"
#include "rpcdce.h"
#include "rpcnterr.h"
#include "rpctypes.h"

PENSTOCK_BEGIN_DECLS

/* Values of a filter. */
#define EXCEPTION_EXECUTE_HANDLER    1
#define EXCEPTION_CONTINUE_SEARCH    0
#define EXCEPTION_CONTINUE_EXECUTION (-1)

/* Codes that stand for a broken process: filters name them, nothing here raises them. */
#define STATUS_GUARD_PAGE_VIOLATION     0x80000001u
#define STATUS_DATATYPE_MISALIGNMENT    0x80000002u
#define STATUS_BREAKPOINT               0x80000003u
#define STATUS_ACCESS_VIOLATION         0xC0000005u
#define STATUS_IN_PAGE_ERROR            0xC0000006u
#define STATUS_ILLEGAL_INSTRUCTION      0xC000001Du
#define STATUS_PRIVILEGED_INSTRUCTION   0xC0000096u
#define STATUS_INSTRUCTION_MISALIGNMENT 0xC00000AAu
#define STATUS_STACK_OVERFLOW           0xC00000FDu
#define STATUS_POSSIBLE_DEADLOCK        0xC0000194u
#define STATUS_HANDLE_NOT_CLOSABLE      0xC0000235u
#define STATUS_REG_NAT_CONSUMPTION      0xC00002C9u
#define STATUS_STACK_BUFFER_OVERRUN     0xC0000409u
#define STATUS_ASSERTION_FAILURE        0xC0000420u

/* The code of the exception being handled on this thread, innermost handler first;
 * meaningful in a filter and in an RpcExcept block, else 0: it never fails.  Concerns the
 * calling thread. */
PENSTOCK_API ULONG RPC_ENTRY RpcxExceptionCode(void);
#define RpcExceptionCode() RpcxExceptionCode()

/* In an RpcFinally block: is an exception passing?  Never fails.  Concerns the calling
 * thread. */
PENSTOCK_API int RPC_ENTRY RpcxAbnormalTermination(void);
#define RpcAbnormalTermination() RpcxAbnormalTermination()

/* ---- Behind the macros; not for use by hand ------------------------------ */

struct _RPCX_EXCEPTION_FRAME;
typedef void RPCX_JUMP_FN(struct _RPCX_EXCEPTION_FRAME *Frame);

/* One guarded block: an element of the thread's stack of handlers.  Part of the
 * binary interface: programs allocate it. */
typedef struct _RPCX_EXCEPTION_FRAME {
    union {
        jmp_buf Standard;
        void *Builtin[5];
    } Target;                            /* where to go when an exception arrives   */
    RPCX_JUMP_FN *Jump;                  /* goes there; does not return             */
    struct _RPCX_EXCEPTION_FRAME *Outer; /* the next frame outward                  */
    RPC_STATUS Code;                     /* what arrived                            */
    int State;                           /* enum frame_state of exception.c         */
} RPCX_EXCEPTION_FRAME;

/* Frames of the calling thread: the innermost is entered last and left first, by the cleanup
 * attribute however a block is left.  FilterResult: 0 passes the exception outward and does
 * not return then; FinallyEnd passes it on, if one passes.  They never fail.  Of ours. */
PENSTOCK_API void RPC_ENTRY RpcxFrameEnter(RPCX_EXCEPTION_FRAME *Frame, RPCX_JUMP_FN *Jump);
PENSTOCK_API void RPC_ENTRY RpcxFrameLeave(RPCX_EXCEPTION_FRAME *Frame);
PENSTOCK_API void RPC_ENTRY RpcxFilterResult(int Handle);
PENSTOCK_API void RPC_ENTRY RpcxFinallyBegin(void);
PENSTOCK_API void RPC_ENTRY RpcxFinallyEnd(void);

/* GCC knows every way into the receiver of its __builtin_setjmp, so that no variable
 * lives in a register across it: neither wrong values nor -Wclobbered.  Clang has the
 * name but not that promise, nor every processor.  The jump is compiled beside the
 * setjmp, so that the library does not care which pair a program uses; it must not be
 * inlined into the function that holds the block. */
#if defined(__GNUC__) && !defined(__clang__)
#define RPCX_SETJMP(frame) __builtin_setjmp((frame).Target.Builtin)
#else
#define RPCX_SETJMP(frame) setjmp((frame).Target.Standard)
#endif
static __attribute__((unused, noinline, noreturn)) void RpcxJump_(RPCX_EXCEPTION_FRAME *Frame)
{
#if defined(__GNUC__) && !defined(__clang__)
    __builtin_longjmp(Frame->Target.Builtin, 1);
#else
    longjmp(Frame->Target.Standard, 1);
#endif
}

/* The frame's name is made unique so that nested blocks do not shadow each other;
 * the later macros do not need it: they mean the innermost frame of the thread. */
#define RPCX_PASTE_(a, b) a##b
#define RPCX_PASTE(a, b)  RPCX_PASTE_(a, b)
#define RPCX_GUARD_(frame)                                                                         \
    RPCX_EXCEPTION_FRAME frame __attribute__((cleanup(RpcxFrameLeave)));                           \
    RpcxFrameEnter(&frame, RpcxJump_);                                                             \
    if (RPCX_SETJMP(frame) == 0)
#define RPCX_GUARD RPCX_GUARD_(RPCX_PASTE(rpcx_frame_, __COUNTER__))

/* clang-format off */
#define RpcTryExcept                                                                               \
    {                                                                                              \
        RPCX_GUARD                                                                                 \
        {
#define RpcExcept(filter)                                                                          \
        }                                                                                          \
        else                                                                                       \
        {                                                                                          \
            RpcxFilterResult((filter) != 0);                                                       \
            {
#define RpcEndExcept                                                                               \
            }                                                                                      \
        }                                                                                          \
    }

#define RpcTryFinally                                                                              \
    {                                                                                              \
        RPCX_GUARD                                                                                 \
        {
#define RpcFinally                                                                                 \
        }                                                                                          \
        RpcxFinallyBegin();                                                                        \
        {
#define RpcEndFinally                                                                              \
        }                                                                                          \
        RpcxFinallyEnd();                                                                          \
    }
/* clang-format on */

PENSTOCK_END_DECLS

#endif
