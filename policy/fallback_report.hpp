// What soft refusals led to, as a report tells it: of all, by stage and by sender domain.
#pragma once

#include "policy/fallback.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace policy {

// From the first refusal on.
struct Delays {
    std::uint64_t count = 0;
    std::chrono::milliseconds median{};
    std::chrono::milliseconds longest{};

    friend bool operator==(const Delays&, const Delays&) = default;
};

// Messages, each as often as it has recipients. Each is in one of the lines after the first two.
struct FallbackCounts {
    std::uint64_t messages = 0;
    std::uint64_t attempts = 0; // that were refused softly
    Delays ipv4;
    Delays mended;
    Delays let_through;
    Delays refused;
    std::uint64_t not_seen = 0; // here, within the window
    std::uint64_t open = 0;     // the window is not over

    friend bool operator==(const FallbackCounts&, const FallbackCounts&) = default;
};

struct FallbackRow {
    std::string name; // of the stage, or of the domain of MAIL FROM: "" is the null path
    FallbackCounts counts;

    friend bool operator==(const FallbackRow&, const FallbackRow&) = default;
};

// Rows with the most that was not seen again come first, then those with the most messages, then by
// name.
struct FallbackReport {
    std::chrono::milliseconds window{};
    FallbackCounts total;
    std::vector<FallbackRow> stages;
    std::vector<FallbackRow> sender_domains;

    friend bool operator==(const FallbackReport&, const FallbackReport&) = default;
};

// Takes the refusals one by one, in any order. Strangers can vary sender domains without end: where
// there are more than `most_domains`, half of them go that have the fewest messages. These are in
// all sums, and have no row, or one that lacks what came before.
class FallbackReportMaker {
public:
    static constexpr std::size_t usual_domains = 20'000;

    // As of `until`.
    FallbackReportMaker(Time until,
                        std::chrono::milliseconds window,
                        std::size_t most_domains = usual_domains)
        : open_since_{until - window}, window_{window}, most_domains_{most_domains} {}

    void add(const SoftRefusal& refusal);

    FallbackReport report() const;

private:
    struct Tally {
        FallbackCounts counts; // without delays
        std::map<RecoveryKind, std::vector<std::chrono::milliseconds>> delays;

        void add(const SoftRefusal& refusal, Time open_since);
        FallbackCounts told() const;
    };

    using Tallies = std::map<std::string, Tally>;

    static std::vector<FallbackRow> rows_of(const Tallies& tallies);
    void drop_half_of_domains();

    Time open_since_;
    std::chrono::milliseconds window_;
    std::size_t most_domains_;
    Tally total_;
    Tallies stages_;
    Tallies sender_domains_;
};

} // namespace policy
