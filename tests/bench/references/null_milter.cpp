// What libmilter itself costs: the events that sixgate takes, and nothing done with them.
//
//     null_milter SOCKET accept|headers
//
//   accept    accepts at the connection
//   headers   takes every event to the end of the message, and answers at that
#include <libmilter/mfapi.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace {

bool accepts_at_once = false;

// As milter/callbacks.cpp. NOLINTNEXTLINE(readability-function-size): libmilter's parameters
sfsistat on_negotiate(SMFICTX* /*context*/,
                      unsigned long /*actions*/,
                      unsigned long steps,
                      unsigned long /*reserved*/,
                      unsigned long /*reserved*/,
                      unsigned long* wanted_actions,
                      unsigned long* wanted_steps,
                      unsigned long* reserved_2,
                      unsigned long* reserved_3) {
    *wanted_actions = SMFIF_ADDHDRS | SMFIF_CHGHDRS;
    *wanted_steps =
        steps & (SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_HDR | SMFIP_NR_EOH |
                 SMFIP_NR_BODY | SMFIP_NODATA | SMFIP_NOUNKNOWN | SMFIP_HDR_LEADSPC);
    *reserved_2 = 0;
    *reserved_3 = 0;
    return SMFIS_CONTINUE;
}

smfiDesc description(std::string& name) {
    smfiDesc filter{};
    filter.xxfi_name = name.data();
    filter.xxfi_version = SMFI_VERSION;
    filter.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS;
    filter.xxfi_negotiate = on_negotiate;
    filter.xxfi_connect = [](SMFICTX*, char*, _SOCK_ADDR*) -> sfsistat {
        return accepts_at_once ? SMFIS_ACCEPT : SMFIS_CONTINUE;
    };
    filter.xxfi_helo = [](SMFICTX*, char*) -> sfsistat { return SMFIS_NOREPLY; };
    filter.xxfi_envfrom = [](SMFICTX*, char**) -> sfsistat { return SMFIS_NOREPLY; };
    filter.xxfi_envrcpt = [](SMFICTX*, char**) -> sfsistat { return SMFIS_NOREPLY; };
    filter.xxfi_header = [](SMFICTX*, char*, char*) -> sfsistat { return SMFIS_NOREPLY; };
    filter.xxfi_eoh = [](SMFICTX*) -> sfsistat { return SMFIS_NOREPLY; };
    filter.xxfi_body = [](SMFICTX*, unsigned char*, size_t) -> sfsistat { return SMFIS_NOREPLY; };
    filter.xxfi_eom = [](SMFICTX*) -> sfsistat { return SMFIS_CONTINUE; };
    filter.xxfi_abort = [](SMFICTX*) -> sfsistat { return SMFIS_CONTINUE; };
    filter.xxfi_close = [](SMFICTX*) -> sfsistat { return SMFIS_CONTINUE; };
    return filter;
}

} // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments{argv + 1, argv + argc};
    if (arguments.size() != 2) {
        std::fputs("usage: null_milter SOCKET accept|headers\n", stderr);
        return 64;
    }
    accepts_at_once = arguments[1] == "accept";
    std::string socket = "unix:" + arguments[0];
    std::string name = "null_milter";
    smfi_setconn(socket.data());
    smfi_setbacklog(4096);
    if (smfi_register(description(name)) != MI_SUCCESS || smfi_opensocket(true) != MI_SUCCESS) {
        return 1;
    }
    return smfi_main();
}
