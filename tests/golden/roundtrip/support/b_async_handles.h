/* SPDX-License-Identifier: MIT */
/* Every place is the server of this run. */
#ifdef GOLDEN_CLIENT
handle_t __RPC_USER PLACE_bind(PLACE place)
{
    (void)place;
    return golden_binding;
}

void __RPC_USER PLACE_unbind(PLACE place, handle_t binding)
{
    (void)place, (void)binding;
}

static void name_place(void)
{
    async_place = (PLACE) "implicit";
}
#define GOLDEN_SET_UP name_place
#endif
