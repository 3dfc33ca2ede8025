#include "tests/bench/load/measurement.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace bench {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds between_looks{100};

Json json_of(const Histogram& histogram) {
    return {{"count", histogram.count()},
            {"p50", histogram.quantile_ms(0.5)},
            {"p99", histogram.quantile_ms(0.99)},
            {"p999", histogram.quantile_ms(0.999)}};
}

double us_each(std::chrono::nanoseconds all, std::uint64_t count) {
    return static_cast<double>(all.count()) / 1e3 /
           static_cast<double>(std::max<std::uint64_t>(count, 1));
}

double mib(long kib) {
    return static_cast<double>(kib) / 1024;
}

} // namespace

Measurement::Measurement(MeasurementSettings settings) : settings_{std::move(settings)} {}

void Measurement::add(const Session& session) {
    ++all_messages_;
    if (phase_ != Phase::measured) {
        return;
    }
    ++messages_;
    const Outcome& outcome = session.outcome();
    ++verdicts_[outcome.verdict];
    for (const auto& [stage, wait] : outcome.waits) {
        by_stage_.at(static_cast<std::size_t>(stage)).add(wait);
    }
    whole_.add(outcome.total);
    by_kind_[session.sample().kind].add(outcome.total);
    add_results(session);
}

void Measurement::add_results(const Session& session) {
    for (std::size_t i = 0; i < method_count; ++i) {
        const Found& found = session.outcome().results.at(i);
        Count& count = methods_.at(i);
        count.passes += found.has_pass ? 1U : 0U;
        count.absent += found.is_absent() ? 1U : 0U;
        count.wrong += agrees(found, session.sample().truth.at(i)) ? 0U : 1U;
    }
}

bool Measurement::is_long_enough(Clock::time_point now) const {
    const bool has_all = settings_.most != 0 && messages_ >= settings_.most;
    return has_all || (settings_.time.count() > 0 && now - began_ >= settings_.time);
}

void Measurement::look(Clock::time_point now) {
    if (phase_ == Phase::warm_up && all_messages_ >= settings_.warm_up) {
        phase_ = Phase::measured;
        began_ = now;
        own_at_begin_ = own_cpu();
        use_at_begin_ = use_of(settings_.processes);
    }
    if (phase_ != Phase::measured) {
        return;
    }
    const bool ends = is_long_enough(now);
    if (!ends && now - looked_ < between_looks) {
        return;
    }
    looked_ = now;
    use_at_end_ = use_of(settings_.processes);
    peak_.resident_kib = std::max(peak_.resident_kib, use_at_end_.resident_kib);
    peak_.threads = std::max(peak_.threads, use_at_end_.threads);
    if (ends) {
        phase_ = Phase::over;
        ended_ = now;
        own_at_end_ = own_cpu();
    }
}

bool Measurement::is_good() const {
    const auto is_allowed = [&](const auto& verdict) {
        return settings_.verdicts.contains(verdict.first);
    };
    const auto is_true = [&](const std::string& method) {
        const auto place = std::ranges::find(method_words, method);
        return place != method_words.end() &&
               methods_.at(static_cast<std::size_t>(place - method_words.begin())).wrong == 0;
    };
    return messages_ > 0 && errors_.empty() && std::ranges::all_of(verdicts_, is_allowed) &&
           std::ranges::all_of(settings_.required, is_true);
}

std::string Measurement::json() const {
    const std::chrono::duration<double> time = ended_ - began_;
    Json json{{"good", is_good()},
              {"messages", messages_},
              {"all_messages", all_messages_},
              {"seconds", time.count()},
              {"per_second", static_cast<double>(messages_) / time.count()},
              {"cpu_us", us_each(use_at_end_.cpu - use_at_begin_.cpu, messages_)},
              {"generator_cpu_us", us_each(own_at_end_ - own_at_begin_, messages_)},
              {"resident_mib_before", mib(use_at_begin_.resident_kib)},
              {"resident_mib", mib(peak_.resident_kib)},
              {"threads", peak_.threads},
              {"message_ms", json_of(whole_)}};
    for (const auto& [kind, histogram] : by_kind_) {
        json["kind_ms"][kind] = json_of(histogram);
    }
    for (std::size_t i = 0; i < stage_count; ++i) {
        if (by_stage_.at(i).count() > 0) {
            json["stage_ms"][std::string{word_of(static_cast<Stage>(i))}] =
                json_of(by_stage_.at(i));
        }
    }
    for (std::size_t i = 0; i < method_count; ++i) {
        const Count& count = methods_.at(i);
        json["results"][std::string{method_words.at(i)}] = {
            {"pass", count.passes}, {"absent", count.absent}, {"wrong", count.wrong}};
    }
    json["verdicts"] = verdicts_;
    json["errors"] = errors_;
    return json.dump();
}

} // namespace bench
