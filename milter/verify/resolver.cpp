#include "milter/verify/resolver.hpp"

#include "policy/ascii.hpp"

#include <utility>

namespace verify {

std::string_view to_string(RecordType type) {
    switch (type) {
    case RecordType::a: return "A";
    case RecordType::ptr: return "PTR";
    case RecordType::mx: return "MX";
    case RecordType::txt: return "TXT";
    case RecordType::aaaa: return "AAAA";
    case RecordType::srv: return "SRV";
    }
    return "?";
}

std::string_view to_string(LookupFailure failure) {
    switch (failure) {
    case LookupFailure::no_such_domain: return "NXDOMAIN";
    case LookupFailure::no_record: return "no record";
    case LookupFailure::server_failure: return "server failure";
    case LookupFailure::timeout: return "timeout";
    }
    return "?";
}

bool is_temporary(LookupFailure failure) {
    return failure == LookupFailure::server_failure || failure == LookupFailure::timeout;
}

Question::Question(std::string_view asked, RecordType asked_type)
    : name{policy::to_lower(asked)}, type{asked_type} {
    if (name.ends_with('.') && !name.ends_with("\\.")) {
        name.pop_back();
    }
}

AnswerPtr PendingAnswer::wait_until(Deadline until) const {
    std::unique_lock lock{mutex_};
    arrived_.wait_until(lock, until, [this] { return answer_ != nullptr; });
    return answer_;
}

void PendingAnswer::then(std::function<void(const Answer&)> next) {
    {
        const std::lock_guard lock{mutex_};
        if (answer_ == nullptr) {
            waiting_.push_back(std::move(next));
            return;
        }
    }
    next(*answer_); // never changes once it is set
}

void PendingAnswer::resolve(AnswerPtr answer) {
    std::vector<std::function<void(const Answer&)>> waiting;
    {
        const std::lock_guard lock{mutex_};
        answer_ = std::move(answer);
        waiting.swap(waiting_);
    }
    arrived_.notify_all();
    for (const auto& next : waiting) {
        next(*answer_);
    }
}

} // namespace verify
