#include "milter/verify/lookups.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace verify {

namespace {

constexpr auto progress_interval = std::chrono::seconds{2};

} // namespace

Lookups::Lookups(Resolver& resolver, std::function<void()> while_waiting)
    : resolver_{resolver}, while_waiting_{std::move(while_waiting)} {
    constexpr std::size_t usual_number = 8;
    used_.reserve(usual_number);
}

void Lookups::set_deadline(Deadline deadline) {
    deadline_ = deadline;
}

void Lookups::start(const Question& question) {
    ask(question);
}

Lookups::Asked& Lookups::ask(const Question& question) {
    if (const auto known = asked_.find(question); known != asked_.end()) {
        return known->second;
    }
    Asked asked{resolver_.ask(question), std::chrono::steady_clock::now()};
    return asked_.emplace(question, std::move(asked)).first->second;
}

const Answer& Lookups::lookup(const Question& question) {
    Asked& asked = ask(question);
    if (asked.answer != nullptr) {
        return *asked.answer;
    }
    AnswerPtr answer = wait_for(*asked.pending);
    if (answer == nullptr) {
        Answer timeout{tl::unexpected{LookupFailure::timeout}};
        timeout.asked = asked.at;
        timeout.answered = std::chrono::steady_clock::now();
        answer = std::make_shared<const Answer>(std::move(timeout));
    }
    used_.push_back({question, answer});
    asked.answer = std::move(answer);
    return *asked.answer;
}

AnswerPtr Lookups::wait_for(PendingAnswer& pending) const {
    for (;;) {
        const auto now = std::chrono::steady_clock::now();
        const auto until = std::min(deadline_, now + progress_interval);
        if (AnswerPtr answer = pending.wait_until(until); answer != nullptr || until == deadline_) {
            return answer;
        }
        if (while_waiting_) {
            while_waiting_();
        }
    }
}

} // namespace verify
