// The least that a filter on libmilter, libopendkim and libspf2 can cost: DKIM and SPF of every
// message, all of the DNS in memory, public keys decoded once (cached_keys.cpp), and no policy, no
// log, no configuration. It asks for no reverse name, which is a look-up in a table once cached.
//
//     floor_milter SOCKET CORPUS
#include "tests/bench/references/dkim_check.hpp"
#include "tests/bench/references/spf_check.hpp"

#include <arpa/inet.h>
#include <libmilter/mfapi.h>
#include <netinet/in.h>

#include <array>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

struct Session {
    std::string client;
    std::string helo;
    std::string mail_from;
    std::optional<bench::DkimCheck> dkim;
};

Session& session_of(SMFICTX* context) {
    return *static_cast<Session*>(smfi_getpriv(context));
}

std::string text_of(const _SOCK_ADDR* address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address != nullptr && address->sa_family == AF_INET6) {
        const auto* const ipv6 = reinterpret_cast<const sockaddr_in6*>(address);
        ::inet_ntop(AF_INET6, &ipv6->sin6_addr, text.data(), text.size());
    }
    return text.data();
}

// The parameters of the callbacks are libmilter's.
// NOLINTBEGIN(readability-function-size,readability-non-const-parameter)
sfsistat on_negotiate(SMFICTX* /*context*/,
                      unsigned long /*actions*/,
                      unsigned long steps,
                      unsigned long /*reserved*/,
                      unsigned long /*reserved*/,
                      unsigned long* wanted_actions,
                      unsigned long* wanted_steps,
                      unsigned long* reserved_2,
                      unsigned long* reserved_3) {
    *wanted_actions = SMFIF_ADDHDRS;
    *wanted_steps =
        steps & (SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_HDR | SMFIP_NR_EOH |
                 SMFIP_NR_BODY | SMFIP_NORCPT | SMFIP_NODATA | SMFIP_NOUNKNOWN | SMFIP_HDR_LEADSPC);
    *reserved_2 = 0;
    *reserved_3 = 0;
    return SMFIS_CONTINUE;
}

sfsistat on_connect(SMFICTX* context, char* /*host*/, _SOCK_ADDR* client) {
    auto session = std::make_unique<Session>();
    session->client = text_of(client);
    smfi_setpriv(context, session.release());
    return SMFIS_NOREPLY;
}

sfsistat on_helo(SMFICTX* context, char* name) {
    session_of(context).helo = name;
    return SMFIS_NOREPLY;
}

sfsistat on_mail(SMFICTX* context, char** arguments) {
    Session& session = session_of(context);
    const std::string path = arguments[0];
    session.mail_from = path.substr(1, path.size() - 2);
    session.dkim.emplace();
    return SMFIS_NOREPLY;
}

sfsistat on_header(SMFICTX* context, char* name, char* value) {
    std::string field = std::string{name} + ':';
    for (const char* octet = value; *octet != '\0'; ++octet) {
        if (*octet == '\n') {
            field += '\r';
        }
        field += *octet;
    }
    session_of(context).dkim->header(field);
    return SMFIS_NOREPLY;
}

sfsistat on_end_of_header(SMFICTX* context) {
    session_of(context).dkim->end_of_header();
    return SMFIS_NOREPLY;
}

sfsistat on_body(SMFICTX* context, unsigned char* octets, size_t size) {
    session_of(context).dkim->body({reinterpret_cast<const char*>(octets), size});
    return SMFIS_NOREPLY;
}

sfsistat on_end_of_message(SMFICTX* context) {
    Session& session = session_of(context);
    std::string name = "Authentication-Results";
    std::string value = "mx.bench.test;\n\tspf=" +
                        bench::spf_result(session.client, session.helo, session.mail_from) +
                        " smtp.mailfrom=" + session.mail_from +
                        ";\n\tdkim=" + (session.dkim->passes() ? "pass" : "fail");
    smfi_insheader(context, 0, name.data(), value.data());
    session.dkim.reset();
    return SMFIS_CONTINUE;
}

sfsistat on_close(SMFICTX* context) {
    const std::unique_ptr<Session> session{static_cast<Session*>(smfi_getpriv(context))};
    smfi_setpriv(context, nullptr);
    return SMFIS_CONTINUE;
}

// NOLINTEND(readability-function-size,readability-non-const-parameter)

smfiDesc description(std::string& name) {
    smfiDesc filter{};
    filter.xxfi_name = name.data();
    filter.xxfi_version = SMFI_VERSION;
    filter.xxfi_flags = SMFIF_ADDHDRS;
    filter.xxfi_negotiate = on_negotiate;
    filter.xxfi_connect = on_connect;
    filter.xxfi_helo = on_helo;
    filter.xxfi_envfrom = on_mail;
    filter.xxfi_header = on_header;
    filter.xxfi_eoh = on_end_of_header;
    filter.xxfi_body = on_body;
    filter.xxfi_eom = on_end_of_message;
    filter.xxfi_close = on_close;
    return filter;
}

int run(const std::string& socket_path, const std::string& corpus) {
    bench::load_keys(corpus + "/keys.tsv");
    bench::load_spf_records(corpus + "/spf.tsv");
    std::string socket = "unix:" + socket_path;
    std::string name = "floor_milter";
    smfi_setconn(socket.data());
    smfi_setbacklog(4096);
    if (smfi_register(description(name)) != MI_SUCCESS || smfi_opensocket(true) != MI_SUCCESS) {
        return 1;
    }
    return smfi_main();
}

} // namespace

int main(int argc, char** argv) {
    try {
        const std::vector<std::string> arguments{argv + 1, argv + argc};
        return run(arguments.at(0), arguments.at(1));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "floor_milter: %s\n", error.what());
        return 1;
    }
}
