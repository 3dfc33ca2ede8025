#include "milter/verify/spf_ahead.hpp"

#include "milter/verify/spf_name.hpp"
#include "milter/verify/spf_record.hpp"
#include "policy/ascii.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace verify {

namespace {

constexpr int most_questions_ahead = 10;
constexpr unsigned most_levels_ahead = 4;
// Records are read on the resolver's one event thread, where all other answers wait, and fit in 450
// octets as a rule (RFC 7208 section 3.4). A longer one only loses its start.
constexpr std::size_t longest_record_ahead = 4096;

// What one call may still ask for. Shared by the answers that it waits for.
struct Ahead {
    explicit Ahead(Resolver& asked) : resolver{asked} {}

    Resolver& resolver;
    std::atomic<int> questions{most_questions_ahead};
};

// The name that a term leads to; empty where it leads to none.
std::string_view linked_domain(std::string_view term) {
    static constexpr auto links = std::to_array<std::string_view>({"include:", "redirect="});
    if (!term.empty() && std::string_view{"+-~?"}.find(term.front()) != std::string_view::npos) {
        term.remove_prefix(1);
    }
    for (const auto link : links) {
        const auto name = term.substr(std::min(link.size(), term.size()));
        if (policy::same_name(term.substr(0, link.size()), link) && is_plain_name(name)) {
            return name;
        }
    }
    return {};
}

// The names whose records the check will ask for.
std::vector<std::string> linked_domains(const Answer& answer) {
    const auto records = answer ? spf_records_among(answer->texts) : std::vector<std::string>{};
    if (records.size() != 1 || records.front().size() > longest_record_ahead) {
        return {};
    }
    std::vector<std::string> domains;
    for (std::string_view rest = records.front(); !rest.empty();) {
        const auto term = rest.substr(0, rest.find(' '));
        if (const auto domain = linked_domain(term); !domain.empty()) {
            domains.emplace_back(domain);
        }
        rest.remove_prefix(std::min(term.size() + 1, rest.size()));
    }
    return domains;
}

void ask_ahead(const std::shared_ptr<Ahead>& ahead, const std::string& domain, unsigned levels) {
    if (ahead->questions.fetch_sub(1) <= 0) {
        return;
    }
    const auto pending = ahead->resolver.ask({presentation_form(domain), RecordType::txt});
    if (levels == 0) {
        return;
    }
    pending->then([ahead, levels](const Answer& answer) {
        for (const auto& linked : linked_domains(answer)) {
            ask_ahead(ahead, linked, levels - 1);
        }
    });
}

} // namespace

void ask_spf_ahead(Resolver& resolver, const std::string& domain) {
    ask_ahead(std::make_shared<Ahead>(resolver), domain, most_levels_ahead);
}

} // namespace verify
