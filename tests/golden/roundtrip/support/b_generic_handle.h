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

handle_t __RPC_USER PLACE_NAME_bind(PLACE_NAME place)
{
    (void)place;
    return golden_binding;
}

void __RPC_USER PLACE_NAME_unbind(PLACE_NAME place, handle_t binding)
{
    (void)place, (void)binding;
}

static void name_place(void)
{
    the_place = (PLACE_NAME) "implicit";
}
#define GOLDEN_SET_UP name_place
#endif
