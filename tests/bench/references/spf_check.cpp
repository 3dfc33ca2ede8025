#include "tests/bench/references/spf_check.hpp"

#include "milter/verify/c_handle.hpp"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>

extern "C" {
#include <spf2/spf.h>
#include <spf2/spf_dns_zone.h>
}

#include <fstream>
#include <unordered_map>

namespace bench {

namespace {

using Request = verify::CHandle<SPF_request_t, SPF_request_free>;
using Response = verify::CHandle<SPF_response_t, SPF_response_free>;

// One of each domain, because libspf2 goes through all records of one in turn.
std::unordered_map<std::string, SPF_server_t*>& servers() {
    static std::unordered_map<std::string, SPF_server_t*> all;
    return all;
}

// "_a.example.test" is a part of the record of example.test.
std::string domain_of_record(const std::string& name) {
    return name.starts_with('_') ? name.substr(name.find('.') + 1) : name;
}

} // namespace

void load_spf_records(const std::string& file) {
    std::unordered_map<std::string, SPF_dns_server_t*> zones;
    std::ifstream lines{file};
    for (std::string line; std::getline(lines, line);) {
        const std::size_t tab = line.find('\t');
        const std::string name = line.substr(0, tab);
        SPF_dns_server_t*& zone = zones[domain_of_record(name)];
        if (zone == nullptr) {
            zone = SPF_dns_zone_new(nullptr, nullptr, 0);
        }
        SPF_dns_zone_add_str(
            zone, name.c_str(), ns_t_txt, NETDB_SUCCESS, line.substr(tab + 1).c_str());
    }
    for (const auto& [domain, zone] : zones) {
        SPF_server_t* const server = SPF_server_new_dns(zone, 0);
        SPF_server_set_rec_dom(server, "mx.bench.test");
        servers()[domain] = server;
    }
}

std::string
spf_result(const std::string& client, const std::string& helo, const std::string& mail_from) {
    const auto server = servers().find(mail_from.substr(mail_from.find('@') + 1));
    if (server == servers().end()) {
        return "none";
    }
    const Request request{SPF_request_new(server->second)};
    SPF_request_set_ipv6_str(request.get(), client.c_str());
    SPF_request_set_helo_dom(request.get(), helo.c_str());
    SPF_request_set_env_from(request.get(), mail_from.c_str());
    SPF_response_t* raw_response = nullptr;
    SPF_request_query_mailfrom(request.get(), &raw_response);
    const Response response{raw_response};
    return SPF_strresult(SPF_response_result(response.get()));
}

} // namespace bench
