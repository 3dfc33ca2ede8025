// The answers that one message rests on. Each question is asked once and its answer kept, so that
// no check sees another truth than the one before it. Used by one thread at a time.
#pragma once

#include "milter/verify/resolver.hpp"

#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace verify {

class Lookups {
public:
    // `while_waiting` is called about every two seconds while a look-up blocks.
    explicit Lookups(Resolver& resolver, std::function<void()> while_waiting = {});

    // From here on a look-up that is not in by `deadline` is LookupFailure::timeout.
    // Without a deadline every answer that is not in yet is a timeout.
    void set_deadline(Deadline deadline);

    // A hint that `question` will be looked up. Does not block.
    void start(const Question& question);

    // The answer, waited for until the deadline. The same question always has the same answer.
    const Answer& lookup(const Question& question);

    // What was looked up, in order: for explain, and for the timeline.
    struct Used {
        Question question;
        AnswerPtr answer;
    };

    const std::vector<Used>& used() const { return used_; }

    Resolver& resolver() { return resolver_; }

private:
    struct Asked {
        std::shared_ptr<PendingAnswer> pending;
        Deadline at;
        AnswerPtr answer{}; // once it was looked up
    };

    Asked& ask(const Question& question);
    AnswerPtr wait_for(PendingAnswer& pending) const;

    Resolver& resolver_;
    std::function<void()> while_waiting_;
    Deadline deadline_{};

    std::map<Question, Asked> asked_;
    std::vector<Used> used_;
};

} // namespace verify
