/* SPDX-License-Identifier: MIT */
/* exception.c - RpcRaiseException and the stack of handlers behind the macros of
 * <penstock/rpc.h>.
 *
 *     top --> [frame of the innermost block] --> [next] --> ... --> NULL
 *
 * Each thread has its own stack; the frames live in the C frames of the functions
 * that hold the blocks.  A frame whose block has caught an exception stays on the
 * stack while its handler runs, so that RpcExceptionCode() finds the code, but
 * takes part in no further raise.  A frame leaves the stack through the compiler's
 * cleanup attribute; leaving also drops every frame inside it.
 *
 * No jump crosses our own frames: the run time raises only as the last act of an
 * API function and catches with exception_run(). */
#include "runtime/exception.h"

#include <stdio.h>
#include <stdlib.h>

#include <penstock/rpc.h>

#include "base/delay.h"
#include "base/status.h"

enum frame_state {
    FRAME_TRYING,   /* the guarded block runs: an exception goes here               */
    FRAME_RAISED,   /* one has come; the filter runs, or RpcFinally is about to     */
    FRAME_HANDLING, /* the RpcExcept block runs                                     */
    FRAME_NORMAL,   /* the RpcFinally block runs after its guarded block has ended  */
    FRAME_ABNORMAL, /* the RpcFinally block runs because an exception passes        */
    FRAME_PASSED    /* the exception has been handed outward                        */
};

static _Thread_local RPCX_EXCEPTION_FRAME *top;

static PENSTOCK_NORETURN void die_unhandled(RPC_STATUS code)
{
    /* The library never prints, except here, where the process ends. */
    const char *name = status_name(code);
    fprintf(stderr, "penstock: no handler for RPC exception %u (0x%x) %s\n", (unsigned)code,
            (unsigned)code, name ? name : "");
    abort();
}

PENSTOCK_NORETURN void RpcRaiseException(RPC_STATUS exception)
{
    RPCX_EXCEPTION_FRAME *frame = top;
    while (frame && frame->State != FRAME_TRYING)
        frame = frame->Outer;
    if (!frame)
        die_unhandled(exception);
    top = frame; /* the frames inside belong to functions about to vanish */
    frame->Code = exception;
    frame->State = FRAME_RAISED;
    frame->Jump(frame);
    abort(); /* not reached; the type of Jump cannot say so */
}

void RpcxFrameEnter(RPCX_EXCEPTION_FRAME *Frame, RPCX_JUMP_FN *Jump)
{
    Frame->Jump = Jump;
    Frame->State = FRAME_TRYING;
    Frame->Code = RPC_S_OK;
    Frame->Outer = top;
    top = Frame;
}

void RpcxFrameLeave(RPCX_EXCEPTION_FRAME *Frame)
{
    top = Frame->Outer;
}

/* Passes the exception of `frame`, the innermost one, outward. */
static PENSTOCK_NORETURN void pass_outward(RPCX_EXCEPTION_FRAME *frame)
{
    frame->State = FRAME_PASSED;
    RpcRaiseException(frame->Code);
}

void RpcxFilterResult(int Handle)
{
    if (!Handle)
        pass_outward(top);
    top->State = FRAME_HANDLING;
}

void RpcxFinallyBegin(void)
{
    top->State = top->State == FRAME_RAISED ? FRAME_ABNORMAL : FRAME_NORMAL;
}

void RpcxFinallyEnd(void)
{
    if (top->State == FRAME_ABNORMAL)
        pass_outward(top);
}

ULONG RpcxExceptionCode(void)
{
    for (const RPCX_EXCEPTION_FRAME *frame = top; frame; frame = frame->Outer)
        if (frame->State == FRAME_RAISED || frame->State == FRAME_HANDLING)
            return (ULONG)frame->Code;
    return RPC_S_OK;
}

int RpcxAbnormalTermination(void)
{
    for (const RPCX_EXCEPTION_FRAME *frame = top; frame; frame = frame->Outer)
        if (frame->State == FRAME_NORMAL || frame->State == FRAME_ABNORMAL)
            return frame->State == FRAME_ABNORMAL;
    return 0;
}

int RpcExceptionFilter(unsigned long ExceptionCode)
{
    switch (ExceptionCode) {
    case STATUS_GUARD_PAGE_VIOLATION:
    case STATUS_DATATYPE_MISALIGNMENT:
    case STATUS_BREAKPOINT:
    case STATUS_ACCESS_VIOLATION:
    case STATUS_IN_PAGE_ERROR:
    case STATUS_ILLEGAL_INSTRUCTION:
    case STATUS_PRIVILEGED_INSTRUCTION:
    case STATUS_INSTRUCTION_MISALIGNMENT:
    case STATUS_STACK_OVERFLOW:
    case STATUS_POSSIBLE_DEADLOCK:
    case STATUS_HANDLE_NOT_CLOSABLE:
    case STATUS_REG_NAT_CONSUMPTION:
    case STATUS_STACK_BUFFER_OVERRUN:
    case STATUS_ASSERTION_FAILURE:
        return EXCEPTION_CONTINUE_SEARCH;
    default:
        return EXCEPTION_EXECUTE_HANDLER;
    }
}

int I_RpcExceptionFilter(unsigned long ExceptionCode)
{
    return RpcExceptionFilter(ExceptionCode);
}

RPC_STATUS exception_run(void (*fn)(void *arg), void *arg, bool *ret_raised)
{
    DELAY_POINT();
    volatile RPC_STATUS status = RPC_S_OK;
    volatile bool raised = false;
    RpcTryExcept
    {
        fn(arg);
    }
    RpcExcept(1)
    {
        status = (RPC_STATUS)RpcExceptionCode();
        raised = true;
    }
    RpcEndExcept
    *ret_raised = raised;
    return status;
}
