// Questions put to a CaresResolver, and what came of them.
#pragma once

#include "milter/verify/cares_resolver.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tests {

inline const verify::Question txt{"example.org", verify::RecordType::txt};

inline verify::DnsSettings settings(std::vector<std::string> servers,
                                    std::chrono::milliseconds timeout = std::chrono::seconds{3}) {
    return {std::move(servers), timeout, 1U << 20U};
}

inline verify::Answer wait(verify::PendingAnswer& pending) {
    const auto answer =
        pending.wait_until(std::chrono::steady_clock::now() + std::chrono::seconds{10});
    REQUIRE(answer != nullptr);
    return *answer;
}

inline verify::Answer lookup(verify::CaresResolver& dns, const verify::Question& question) {
    return wait(*dns.ask(question));
}

using Pending = std::vector<std::shared_ptr<verify::PendingAnswer>>;

// 0.example, 1.example and so on, all at once.
inline Pending ask_for(verify::CaresResolver& dns, int count) {
    Pending pending(static_cast<std::size_t>(count));
    int number = 0;
    std::ranges::generate(pending, [&] {
        return dns.ask({std::to_string(number++) + ".example", verify::RecordType::txt});
    });
    return pending;
}

inline std::string text_of(const verify::Answer& answer) {
    return answer ? answer->texts.at(0) : std::string{to_string(answer.error())};
}

} // namespace tests
