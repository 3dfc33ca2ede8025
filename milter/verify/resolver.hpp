// The one way to DNS: questions, answers, and who answers them. Knows no DNS library.
#pragma once

#include "policy/address.hpp"

#include <tl/expected.hpp>

#include <chrono>
#include <compare>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace verify {

using Deadline = std::chrono::steady_clock::time_point;

// Values of the DNS parameters registry.
enum class RecordType : std::uint16_t { a = 1, ptr = 12, mx = 15, txt = 16, aaaa = 28, srv = 33 };
std::string_view to_string(RecordType type);

// A name in presentation form (a dot or backslash inside a label is escaped as RFC 1035 section
// 5.1 says), lower case, without a final dot.
struct Question {
    Question(std::string_view asked, RecordType asked_type); // makes it so

    std::string name;
    RecordType type;

    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 errs about a defaulted <=>
    friend auto operator<=>(const Question&, const Question&) = default;
};

enum class LookupFailure : std::uint8_t {
    no_such_domain, // NXDOMAIN, or a name that cannot be asked for (RFC 1035 section 2.3.4)
    no_record,      // the name exists, the type does not
    server_failure, // SERVFAIL, REFUSED, no server reachable, an answer that makes no sense
    timeout         // no answer within [dns] timeout_ms, or by the deadline of the message
};
std::string_view to_string(LookupFailure failure);
bool is_temporary(LookupFailure failure); // asking again later may help

struct MailExchange {
    std::uint16_t preference = 0;
    std::string host; // "." where the RFC 7505 null MX stands

    friend bool operator==(const MailExchange&, const MailExchange&) = default;
};

// The records of one type at the end of the answer's CNAME chain, in the answer's order. Only the
// list that the question's type asks for is filled.
struct Records {
    std::vector<policy::Address> addresses;   // A, AAAA
    std::vector<std::string> names;           // PTR, presentation form
    std::vector<std::string> texts;           // TXT, the strings of a record joined (RFC 7208 3.3)
    std::vector<MailExchange> mail_exchanges; // MX
};

// The records, or why there are none, and when: by the clock of deadlines.
struct Answer : tl::expected<Records, LookupFailure> {
    using expected::expected;

    Deadline asked{};    // zero: nobody was asked
    Deadline answered{}; // or given up
};

using AnswerPtr = std::shared_ptr<const Answer>;

// An answer that may still be on its way. Shared by all who asked; safe to use from any thread.
class PendingAnswer {
public:
    // Blocks until the answer is in or `until` has passed; then null.
    AnswerPtr wait_until(Deadline until) const;

    // Calls `next` with the answer: at once where it is in, otherwise on the thread that brings it.
    // `next` must not block and must not throw.
    void then(std::function<void(const Answer&)> next);

    // Called once, by the resolver.
    void resolve(AnswerPtr answer);

private:
    mutable std::mutex mutex_; // guards what follows
    mutable std::condition_variable arrived_;
    AnswerPtr answer_;
    std::vector<std::function<void(const Answer&)>> waiting_;
};

class Resolver {
public:
    Resolver() = default;
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;
    Resolver(Resolver&&) = delete;
    Resolver& operator=(Resolver&&) = delete;
    virtual ~Resolver() = default;

    // Starts the question, unless it is cached or under way. Never blocks, never throws for what
    // the name is; the answer arrives in the end, if only as a timeout.
    virtual std::shared_ptr<PendingAnswer> ask(const Question& question) = 0;
};

} // namespace verify
