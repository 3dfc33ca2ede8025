#include "milter/verify/spf_mechanism.hpp"

#include "milter/verify/c_handle.hpp"
#include "milter/verify/spf_name.hpp"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

// The library's headers are for C, and would declare what they were configured without.
#define HAVE_NS_TYPE 1
#define HAVE_NETDB_H 1
#define HAVE_DECL_NS_T_INVALID 1
extern "C" {
#include <spf2/spf.h>
}

namespace verify {

namespace {

using Server = CHandle<SPF_server_t, SPF_server_free>;
using Request = CHandle<SPF_request_t, SPF_request_free>;
using Response = CHandle<SPF_response_t, SPF_response_free>;
using ParsedRecord = CHandle<SPF_record_t, SPF_record_free>;
using RecordSet = CHandle<SPF_dns_rr_t, SPF_dns_rr_free>;

constexpr std::size_t most_hosts = 10; // RFC 7208 section 4.6.4, of an mx and of a ptr

template <typename T>
T* not_null(T* object) {
    if (object == nullptr) {
        throw std::bad_alloc{}; // the library's functions fail for no other reason
    }
    return object;
}

in_addr ipv4_of(const policy::Address::Bytes& bytes) {
    in_addr octets{};
    std::memcpy(&octets, &bytes[12], sizeof octets);
    return octets;
}

in6_addr ipv6_of(const policy::Address::Bytes& bytes) {
    in6_addr octets{};
    std::memcpy(&octets, bytes.data(), sizeof octets);
    return octets;
}

RecordType address_type(const policy::Address& client) {
    return client.is_ipv4() ? RecordType::a : RecordType::aaaa;
}

std::optional<RecordType> record_type(ns_type type) {
    constexpr auto known = std::to_array<RecordType>(
        {RecordType::a, RecordType::aaaa, RecordType::mx, RecordType::ptr});
    const auto* const found = std::ranges::find(
        known, static_cast<int>(type), [](RecordType row) { return static_cast<int>(row); });
    return found == known.end() ? std::nullopt : std::optional{*found};
}

// RFC 8616 section 4: a local part that is not ASCII is no part of a domain name.
bool can_be_asked_for(const std::string& name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) { return c > 0; });
}

// The answers for the one term that is being evaluated.
class TermLookups {
public:
    TermLookups(Lookups& lookups, const policy::Address& client, const SpfDirective& directive)
        : lookups_{lookups}, client_{client}, directive_{directive} {}

    // For C, which no exception may pass: it is kept for rethrow(), and the library is told to try
    // again.
    RecordSet try_lookup(const char* name, ns_type type) noexcept {
        try {
            return lookup(name, type);
        } catch (...) {
            thrown_ = std::current_exception();
            return std::exchange(spare_, nullptr);
        }
    }

    void rethrow() const {
        if (thrown_ != nullptr) {
            std::rethrow_exception(thrown_);
        }
    }

    bool is_void() const { return is_void_.value_or(false); }

    const std::string& problem() const { return problem_; }

private:
    // As the library wants it. Never null: it would abort.
    RecordSet lookup(const char* name, ns_type type) {
        const auto asked = record_type(type);
        if (!asked) {
            return empty_set(name, type, NO_DATA); // it tries type 99 before TXT
        }
        // The library spells the name of a PTR record its own way.
        const Question question = *asked == RecordType::ptr
                                      ? Question{client_.reverse_name(), *asked}
                                      : Question{name, *asked};
        const auto& answer = lookups_.lookup(question);
        if (!is_void_) {
            is_void_ = counts_as_void(answer, *asked);
        }
        if (!answer) {
            return empty_set(name, type, failure_code(question, answer.error()));
        }
        return filled_set(empty_set(name, type, NETDB_SUCCESS), *asked, *answer);
    }

    // A host that has IPv4 addresses only is there: counting it would make permerrors for IPv6
    // clients alone.
    static bool counts_as_void(const Answer& answer, RecordType type) {
        return !answer &&
               (answer.error() == LookupFailure::no_such_domain ||
                (answer.error() == LookupFailure::no_record && type != RecordType::aaaa));
    }

    int failure_code(const Question& question, LookupFailure failure) {
        if (!is_temporary(failure)) {
            return failure == LookupFailure::no_such_domain ? HOST_NOT_FOUND : NO_DATA;
        }
        if (directive_.mechanism == SpfMechanism::ptr) {
            return NO_DATA; // section 5.5: the name is skipped, the mechanism does not match
        }
        problem_ = std::string{to_string(question.type)} + ' ' + question.name + ": " +
                   std::string{to_string(failure)};
        return TRY_AGAIN;
    }

    static RecordSet empty_set(const char* name, ns_type type, int failure) {
        return RecordSet{not_null(SPF_dns_rr_new_init(nullptr, name, type, 0, failure))};
    }

    RecordSet filled_set(RecordSet set, RecordType type, const Records& records) {
        switch (type) {
        case RecordType::ptr: add_names(*set, hosts_of(records.names)); break;
        case RecordType::mx: add_names(*set, hosts_of(records.mail_exchanges)); break;
        case RecordType::a:
        case RecordType::aaaa: add_addresses(*set, type, records.addresses); break;
        case RecordType::txt:
        case RecordType::srv: break;
        }
        if (set->num_rr == 0) {
            set->herrno = NO_DATA; // success without records leaks
        }
        return set;
    }

    static std::vector<std::string> hosts_of(const std::vector<std::string>& names) {
        // Section 4.6.4: the first ten, and no error where there are more.
        const auto first = std::span{names}.first(std::min(names.size(), most_hosts));
        return {first.begin(), first.end()};
    }

    // An mx of more than ten has not come here. A null MX names no host.
    static std::vector<std::string> hosts_of(const std::vector<MailExchange>& exchanges) {
        std::vector<std::string> hosts;
        for (const auto& exchange : exchanges) {
            if (!exchange.host.empty() && exchange.host != ".") {
                hosts.push_back(exchange.host);
            }
        }
        return hosts;
    }

    void add_names(SPF_dns_rr_t& set, const std::vector<std::string>& hosts) {
        for (const auto& host : hosts) {
            const Question addresses{host, address_type(client_)};
            lookups_.start(addresses); // the library asks for one after the other
            const auto& name = addresses.name;
            auto* const data = new_record(set, name.size() + 1);
            std::memcpy(data, name.c_str(), name.size() + 1); // it is both data->ptr and data->mx
        }
    }

    void add_addresses(SPF_dns_rr_t& set,
                       RecordType type,
                       const std::vector<policy::Address>& addresses) {
        for (const auto& found : addresses) {
            // The library knows no /0: under it any address at all is as good as the client's.
            const auto& bytes = (matches_any_address() ? client_ : found).bytes();
            auto* const data = new_record(set, sizeof(SPF_dns_rr_data_t));
            if (type == RecordType::a) {
                data->a = ipv4_of(bytes);
            } else {
                data->aaaa = ipv6_of(bytes);
            }
        }
    }

    bool matches_any_address() const {
        const bool has_lengths =
            directive_.mechanism == SpfMechanism::a || directive_.mechanism == SpfMechanism::mx;
        return has_lengths &&
               (client_.is_ipv4() ? directive_.ip4_length : directive_.ip6_length) == 0;
    }

    static SPF_dns_rr_data_t* new_record(SPF_dns_rr_t& set, std::size_t octets) {
        if (SPF_dns_rr_buf_realloc(&set, set.num_rr, octets) != SPF_E_SUCCESS) {
            throw std::bad_alloc{};
        }
        return set.rr[set.num_rr++];
    }

    Lookups& lookups_;
    const policy::Address& client_;
    const SpfDirective& directive_;
    std::optional<bool> is_void_; // known from the first look-up
    std::string problem_;
    std::exception_ptr thrown_;
    // Made before memory runs out. One is enough: after it the library evaluates no further.
    RecordSet spare_ = empty_set("", ns_t_invalid, TRY_AGAIN);
};

extern "C" {
static SPF_dns_rr_t* look_up_for_spf(SPF_dns_server_t* layer,
                                     const char* name,
                                     ns_type type,
                                     int /*should_cache*/) noexcept {
    return static_cast<TermLookups*>(layer->hook)->try_lookup(name, type).release();
}
}

// Only what is given here can reach the library's arithmetic: a name that it looks up as it is, and
// two numbers.
std::string record_of(const SpfDirective& directive, const policy::Address& client) {
    const auto length = client.is_ipv4()
                            ? '/' + std::to_string(std::max(directive.ip4_length, 1U))
                            : "//" + std::to_string(std::max(directive.ip6_length, 1U));
    switch (directive.mechanism) {
    case SpfMechanism::a: return "v=spf1 a" + length;
    case SpfMechanism::mx: return "v=spf1 mx" + length;
    case SpfMechanism::ptr: return "v=spf1 ptr";
    case SpfMechanism::exists: return "v=spf1 exists:%{d}";
    case SpfMechanism::ip4:
    case SpfMechanism::ip6:
    case SpfMechanism::all:
    case SpfMechanism::include: break;
    }
    return "v=spf1"; // which matches nothing
}

Server new_server(SPF_dns_server_t& layer) {
    Server server{not_null(SPF_server_new_dns(&layer, 0))};
    // Every term that does not match expands the explanation.
    SPF_response_t* raw_response = nullptr;
    SPF_server_set_explanation(server.get(), "-", &raw_response);
    const Response response{raw_response};
    SPF_server_set_rec_dom(server.get(), "-"); // instead of our host name
    return server;
}

Request new_request(SPF_server_t* server, const policy::Address& client, const char* target) {
    Request request{not_null(SPF_request_new(server))};
    if (client.is_ipv4()) {
        SPF_request_set_ipv4(request.get(), ipv4_of(client.bytes()));
    } else {
        SPF_request_set_ipv6(request.get(), ipv6_of(client.bytes()));
    }
    request->cur_dom = target; // not owned
    return request;
}

SpfMatchOutcome outcome_of(const SPF_response_t& response, const TermLookups& term) {
    SpfMatchOutcome outcome{SpfMatch::no_match, term.is_void(), {}};
    switch (response.result) {
    case SPF_RESULT_PASS: outcome.match = SpfMatch::match; return outcome;
    case SPF_RESULT_NEUTRAL: return outcome;
    case SPF_RESULT_TEMPERROR:
        outcome.match = SpfMatch::temperror;
        outcome.problem = term.problem();
        return outcome;
    case SPF_RESULT_INVALID:
    case SPF_RESULT_FAIL:
    case SPF_RESULT_SOFTFAIL:
    case SPF_RESULT_NONE:
    case SPF_RESULT_PERMERROR: break;
    }
    outcome.match = SpfMatch::permerror;
    outcome.problem = SPF_strerror(response.err);
    return outcome;
}

SpfMatchOutcome evaluate(TermLookups& term,
                         const policy::Address& client,
                         const std::string& record_text,
                         const std::string& target) {
    SPF_dns_server_t layer{};
    layer.lookup = look_up_for_spf;
    layer.name = "sixgate";
    layer.hook = &term;
    const Server server = new_server(layer);
    const Request request = new_request(server.get(), client, target.c_str());
    const Response response{not_null(SPF_response_new(request.get()))};
    SPF_record_t* raw_record = nullptr;
    const auto error =
        SPF_record_compile(server.get(), response.get(), &raw_record, record_text.c_str());
    const ParsedRecord record{raw_record};
    if (error != SPF_E_SUCCESS || record == nullptr) {
        return {SpfMatch::permerror, false, SPF_strerror(error)};
    }
    response->spf_record_exp = record.get(); // it aborts without one
    SPF_record_interpret(record.get(), request.get(), response.get(), 0);
    term.rethrow();
    return outcome_of(*response, term);
}

bool is_network(const SpfDirective& directive) {
    return directive.mechanism == SpfMechanism::ip4 || directive.mechanism == SpfMechanism::ip6;
}

// ip4 and ip6 match clients of their family only (section 5.6). The library has no part in it: it
// would be set up for each of the 7,000 terms that one record can hold, and it knows no /0.
SpfMatchOutcome match_network(const policy::Address& client, const SpfDirective& directive) {
    const bool is_ip4 = directive.mechanism == SpfMechanism::ip4;
    const bool is_match = client.is_ipv4() == is_ip4 && directive.network.contains(client);
    return {is_match ? SpfMatch::match : SpfMatch::no_match, false, {}};
}

// Section 4.6.4: an error, and not only when none of the first ten matches.
bool has_too_many_hosts(Lookups& lookups, const SpfDirective& directive, const std::string& name) {
    if (directive.mechanism != SpfMechanism::mx) {
        return false;
    }
    const auto& answer = lookups.lookup({name, RecordType::mx});
    return answer && answer->mail_exchanges.size() > most_hosts;
}

} // namespace

SpfMatchOutcome match_spf_mechanism(Lookups& lookups,
                                    const policy::Address& client,
                                    const SpfDirective& directive,
                                    const std::string& target) {
    if (is_network(directive)) {
        return match_network(client, directive);
    }
    if (!can_be_asked_for(target)) {
        return {SpfMatch::no_match, true, {}};
    }
    const auto name = presentation_form(target);
    if (has_too_many_hosts(lookups, directive, name)) {
        return {SpfMatch::permerror, false, target + " has more than 10 MX"};
    }
    TermLookups term{lookups, client, directive};
    return evaluate(term, client, record_of(directive, client), name);
}

} // namespace verify
