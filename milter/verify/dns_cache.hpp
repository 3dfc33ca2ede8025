// Answers that may be used again, for as long as their zones allow. Bounded in octets; what was
// not used for longest goes first. No lock of its own: its owner has one.
#pragma once

#include "milter/verify/dns_message.hpp"
#include "milter/verify/resolver.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <list>
#include <map>

namespace verify {

class DnsCache {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    // What is kept is counted with what it costs to keep it, as near as can be told.
    explicit DnsCache(std::size_t max_octets) : max_octets_{max_octets} {}

    // Null where there is none, or none any more.
    AnswerPtr find(const Question& question, TimePoint now);

    // Keeps `answer` for `ttl`, at most a day; for an hour where it says that there is nothing
    // (RFC 2308 section 5 advises one to three), for a minute where it is a temporary failure. It
    // takes the place of an older one. A TTL of zero or less is not kept.
    void store(const Question& question, AnswerPtr answer, std::chrono::seconds ttl, TimePoint now);

    std::size_t octets() const { return octets_; }

    std::size_t size() const { return order_.size(); }

private:
    // Most recently used first. The questions live in the map.
    using Order = std::list<const Question*>;

    struct Entry {
        AnswerPtr answer;
        TimePoint expires;
        std::size_t octets = 0;
        Order::iterator place;
    };

    using Entries = std::map<Question, Entry>;

    static std::size_t cost_of(const Question& question, const Answer& answer);
    Entries& entries_with(const Question& question);
    void remove(Entries& entries, Entries::iterator entry);

    std::size_t max_octets_;
    std::size_t octets_ = 0;
    // By a hash of the name, so that each tree is low. A stranger who makes names of one hash gets
    // them into one tree, where finding is what it was without the others.
    std::array<Entries, 256> trees_;
    Order order_;
};

} // namespace verify
