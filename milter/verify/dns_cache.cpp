#include "milter/verify/dns_cache.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace verify {

namespace {

using std::chrono::seconds;

// What an allocation costs beyond what was asked for, for glibc's malloc.
constexpr std::size_t per_allocation = 16;

std::size_t outside(const std::string& text) {
    static const std::size_t inside = std::string{}.capacity();
    return text.capacity() > inside ? text.capacity() + 1 + per_allocation : 0;
}

std::size_t outside(const MailExchange& exchange) {
    return outside(exchange.host);
}

std::size_t outside(const policy::Address&) {
    return 0;
}

template <typename Value>
std::size_t outside(const std::vector<Value>& list) {
    const std::size_t own =
        list.capacity() == 0 ? 0 : list.capacity() * sizeof(Value) + per_allocation;
    return std::accumulate(list.begin(), list.end(), own, [](std::size_t sum, const Value& value) {
        return sum + outside(value);
    });
}

std::size_t outside(const Answer& answer) {
    if (!answer) {
        return 0;
    }
    return outside(answer->addresses) + outside(answer->names) + outside(answer->texts) +
           outside(answer->mail_exchanges);
}

seconds longest(const Answer& answer) {
    if (answer) {
        return std::chrono::days{1};
    }
    return is_temporary(answer.error()) ? seconds{60} : std::chrono::hours{1};
}

} // namespace

std::size_t DnsCache::cost_of(const Question& question, const Answer& answer) {
    constexpr std::size_t nodes = 6 * sizeof(void*); // map node 4, list node 2
    constexpr std::size_t control_block = 2 * sizeof(void*);
    constexpr std::size_t allocations = 3; // map node, list node, answer
    return sizeof(Entries::value_type) + sizeof(void*) + sizeof(Answer) + nodes + control_block +
           allocations * per_allocation + outside(question.name) + outside(answer);
}

AnswerPtr DnsCache::find(const Question& question, TimePoint now) {
    Entries& entries = entries_with(question);
    const auto entry = entries.find(question);
    if (entry == entries.end()) {
        return nullptr;
    }
    if (entry->second.expires <= now) {
        remove(entries, entry);
        return nullptr;
    }
    order_.splice(order_.begin(), order_, entry->second.place);
    return entry->second.answer;
}

void DnsCache::store(const Question& question, AnswerPtr answer, seconds ttl, TimePoint now) {
    Entries& entries = entries_with(question);
    if (const auto older = entries.find(question); older != entries.end()) {
        remove(entries, older);
    }
    const std::size_t cost = cost_of(question, *answer);
    if (ttl <= seconds{0} || cost > max_octets_) {
        return;
    }
    while (octets_ + cost > max_octets_) {
        Entries& others = entries_with(*order_.back());
        remove(others, others.find(*order_.back()));
    }
    const auto expires = now + std::min(ttl, longest(*answer));
    Order place{nullptr}; // apart until nothing can throw any more
    const auto entry =
        entries.emplace(question, Entry{std::move(answer), expires, cost, place.begin()}).first;
    place.front() = &entry->first;
    order_.splice(order_.begin(), place);
    octets_ += cost;
}

DnsCache::Entries& DnsCache::entries_with(const Question& question) {
    return trees_[std::hash<std::string>{}(question.name) % trees_.size()];
}

void DnsCache::remove(Entries& entries, Entries::iterator entry) {
    octets_ -= entry->second.octets;
    order_.erase(entry->second.place);
    entries.erase(entry);
}

} // namespace verify
