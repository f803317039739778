/* SPDX-License-Identifier: MIT */
/* accounts.c - samr and lsarpc. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

#define MAXIMUM_ALLOWED 0x02000000u
#define NAMES_MAX       1000

static void check(long status)
{
    if (status != 0)
        RpcRaiseException((RPC_STATUS)status);
}

static SAMPR_HANDLE connected(handle_t binding)
{
    SAMPR_HANDLE server = NULL;
    check(SamrConnect2(binding, wide("\\\\peer"), &server, MAXIMUM_ALLOWED));
    return server;
}

static RPC_UNICODE_STRING string(const char *text)
{
    unsigned short len = (unsigned short)(strlen(text) * 2);
    return (RPC_UNICODE_STRING){.Length = len, .MaximumLength = len, .Buffer = wide(text)};
}

/* {name of a domain: its SID as octets} */
long run_domains(handle_t binding, char **args)
{
    SAMPR_HANDLE server = connected(binding);
    SAMPR_ENUMERATION_BUFFER *domains = NULL;
    unsigned int context = 0, count = 0;
    (void)args;
    check(SamrEnumerateDomainsInSamServer(server, &context, &domains, 0xffffffff, &count));
    fputs("{", stdout);
    for (uint32_t i = 0; i < domains->EntriesRead; i++) {
        PRPC_SID sid = NULL;
        check(SamrLookupDomainInSamServer(server, &domains->Buffer[i].Name, &sid));
        fputs(i > 0 ? ", " : "", stdout);
        put_string(&domains->Buffer[i].Name);
        printf(": [%u, %u", (unsigned)sid->Revision, (unsigned)sid->IdentifierAuthority.Value[5]);
        for (unsigned j = 0; j < sid->SubAuthorityCount; j++)
            printf(", %lu", (unsigned long)sid->SubAuthority[j]);
        fputs("]", stdout);
    }
    fputs("}", stdout);
    return SamrCloseHandle(&server);
}

/* `args[1]` names looked up in domain `args[0]`, more than a fragment of them: the first is
 * "nobody", the others nobody has. */
long run_names(handle_t binding, char **args)
{
    SAMPR_HANDLE server = connected(binding), domain = NULL;
    PRPC_SID sid = NULL;
    RPC_UNICODE_STRING name = string(args[0]);
    RPC_UNICODE_STRING *names = allocate(NAMES_MAX * sizeof(*names));
    SAMPR_ULONG_ARRAY ids = {0}, kinds = {0};
    uint32_t count = (uint32_t)strtoul(args[1], NULL, 0);
    char text[64];
    check(SamrLookupDomainInSamServer(server, &name, &sid));
    check(SamrOpenDomain(server, MAXIMUM_ALLOWED, sid, &domain));
    for (uint32_t i = 0; i < count && i < NAMES_MAX; i++) {
        snprintf(text, sizeof(text), i == 0 ? "nobody" : "an account that does not exist %u", i);
        names[i] = string(text);
    }
    long status = SamrLookupNamesInDomain(domain, count, names, &ids, &kinds);
    fputs("[", stdout);
    for (uint32_t i = 0; i < ids.Count; i++)
        printf("%s[%u, %u]", i > 0 ? ", " : "", (unsigned)ids.Element[i],
               (unsigned)kinds.Element[i]);
    fputs("]", stdout);
    check(SamrCloseHandle(&domain));
    check(SamrCloseHandle(&server));
    return status;
}

/* LsarOpenPolicy2 with access `args[0]`. */
long run_policy(handle_t binding, char **args)
{
    LSA_QUALITY_OF_SERVICE quality = {.Length = 12, .ImpersonationLevel = 2, .EffectiveOnly = 1};
    LSAPR_OBJECT_ATTRIBUTES attributes = {.Length = 24, .SecurityQualityOfService = &quality};
    LSAPR_HANDLE policy = NULL;
    long status = LsarOpenPolicy2(binding, wide("\\\\peer"), &attributes,
                                  (DWORD)strtoul(args[0], NULL, 0), &policy);
    fputs(policy ? "true" : "false", stdout);
    return status;
}
