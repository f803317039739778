/* SPDX-License-Identifier: MIT */
/* server_access.c - may a client make this call?  The interface's own access check
 * (IfCallback of RpcServerRegisterIfEx), and what it can ask about the client.
 *
 * Asked for each call, before its parameters are decoded: who is refused has made nothing
 * of ours look at them.  What it said is not remembered: a check may look at the operation,
 * or at the time. */
#include "base/trace.h"
#include "runtime/call.h"
#include "runtime/exception.h"
#include "runtime/server.h"
#include "runtime/server_call.h"

struct question {
    RPC_IF_CALLBACK_FN *callback;
    RPC_IF_HANDLE spec;
    RPC_BINDING_HANDLE client;
    RPC_STATUS answer;
};

static void ask(void *arg)
{
    struct question *question = arg;
    question->answer = question->callback(question->spec, question->client);
}

/* No lock. */
static bool allows(const struct rpc_call *call)
{
    struct question question = {.callback = registry_callback(call->iface),
                                .spec = (RPC_IF_HANDLE)(uintptr_t)call->spec,
                                .client = (RPC_BINDING_HANDLE)(uintptr_t)call->handle};
    bool raised = false;
    if (!question.callback) /* registered anew without one meanwhile */
        return true;
    reactor_block_begin();
    RPC_STATUS status = exception_run(ask, &question, &raised);
    reactor_block_end();
    TRACE(TRACE_CALL, "call %u %s: access check %s %d", call->wire.id, call->op->name,
          raised ? "raised" : "said", (int)(raised ? status : question.answer));
    return !raised && question.answer == RPC_S_OK;
}

bool server_admit(struct rpc_call *call)
{
    if (!call->guarded || call->admitted)
        return true;
    call->handle = handle_open(&call->object);
    RPC_STATUS status = call->handle != 0 ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
    if (status == RPC_S_OK) {
        /* The check may take its time, but a call inside another is read by the thread
         * that waits for it, which is this one. */
        if (!call->nested)
            conn_settle(call->conn, CONN_ARM_LAZY);
        conn_unlock(call->conn);
        bool allowed = allows(call);
        conn_lock(call->conn);
        call->admitted = allowed;
        status = allowed ? RPC_S_OK : RPC_S_ACCESS_DENIED;
    }
    call_look(call, status == RPC_S_OK && call->looking);
    if (call->over) /* the client left meanwhile */
        return false;
    if (status != RPC_S_OK) {
        server_fault(call, status, true);
        call_release(call, status);
    }
    return status == RPC_S_OK;
}

/* ---- Who is the client ------------------------------------------------------ */

static RPC_STATUS inq_auth_client(RPC_BINDING_HANDLE handle, unsigned long flags)
{
    struct rpc_call *call;
    struct binding *binding;
    if (flags & ~(unsigned long)RPC_C_FULL_CERT_CHAIN)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status = server_call_get(handle, &call);
    if (status == RPC_S_INVALID_BINDING && binding_get_client(handle, &binding) == RPC_S_OK) {
        binding_put(binding);
        return RPC_S_WRONG_KIND_OF_BINDING;
    }
    if (status != RPC_S_OK)
        return status;
    call_put(call);
    return RPC_S_BINDING_HAS_NO_AUTH;
}

RPC_STATUS RpcBindingInqAuthClientExA(RPC_BINDING_HANDLE ClientBinding, RPC_AUTHZ_HANDLE *Privs,
                                      RPC_CSTR *ServerPrincName, unsigned long *AuthnLevel,
                                      unsigned long *AuthnSvc, unsigned long *AuthzSvc,
                                      unsigned long Flags)
{
    (void)Privs, (void)ServerPrincName, (void)AuthnLevel, (void)AuthnSvc, (void)AuthzSvc;
    return inq_auth_client(ClientBinding, Flags);
}

RPC_STATUS RpcBindingInqAuthClientExW(RPC_BINDING_HANDLE ClientBinding, RPC_AUTHZ_HANDLE *Privs,
                                      RPC_WSTR *ServerPrincName, unsigned long *AuthnLevel,
                                      unsigned long *AuthnSvc, unsigned long *AuthzSvc,
                                      unsigned long Flags)
{
    (void)Privs, (void)ServerPrincName, (void)AuthnLevel, (void)AuthnSvc, (void)AuthzSvc;
    return inq_auth_client(ClientBinding, Flags);
}

RPC_STATUS RpcBindingInqAuthClientA(RPC_BINDING_HANDLE ClientBinding, RPC_AUTHZ_HANDLE *Privs,
                                    RPC_CSTR *ServerPrincName, unsigned long *AuthnLevel,
                                    unsigned long *AuthnSvc, unsigned long *AuthzSvc)
{
    return RpcBindingInqAuthClientExA(ClientBinding, Privs, ServerPrincName, AuthnLevel, AuthnSvc,
                                      AuthzSvc, 0);
}

RPC_STATUS RpcBindingInqAuthClientW(RPC_BINDING_HANDLE ClientBinding, RPC_AUTHZ_HANDLE *Privs,
                                    RPC_WSTR *ServerPrincName, unsigned long *AuthnLevel,
                                    unsigned long *AuthnSvc, unsigned long *AuthzSvc)
{
    return RpcBindingInqAuthClientExW(ClientBinding, Privs, ServerPrincName, AuthnLevel, AuthnSvc,
                                      AuthzSvc, 0);
}
