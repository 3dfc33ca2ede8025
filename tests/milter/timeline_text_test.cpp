#include "milter/timeline_text.hpp"
#include "tests/milter/session_scene.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

using milter::SessionEvent;
using milter::Timeline;
using milter::TimelineRow;
using tests::Scene;
using verify::Lookups;
using verify::RecordType;

namespace {

Lookups::Used
used_at(const std::string& name, Timeline::TimePoint asked, Timeline::TimePoint answered) {
    verify::Answer answer{verify::Records{}};
    answer.asked = asked;
    answer.answered = answered;
    return {{name, RecordType::txt}, std::make_shared<const verify::Answer>(answer)};
}

std::vector<std::string> words_of(const std::vector<TimelineRow>& rows) {
    std::vector<std::string> words;
    std::ranges::transform(rows, std::back_inserter(words), &TimelineRow::what);
    return words;
}

} // namespace

TEST_CASE("timeline: events and questions in the order of time, known answers last") {
    using namespace std::chrono_literals;
    Timeline timeline;
    timeline.note(SessionEvent::connect);
    const auto begin = timeline.at(SessionEvent::connect).value();
    timeline.note(SessionEvent::verdict);
    const auto rows = milter::timeline_rows(timeline,
                                            {used_at("known.example", begin - 2s, begin - 1s),
                                             used_at("late.example", begin + 2s, begin + 2500ms),
                                             used_at("joined.example", begin - 5ms, begin + 20ms)});
    CHECK(words_of(rows) ==
          std::vector<std::string>{
              "TXT joined.example", "connect", "verdict", "TXT late.example", "TXT known.example"});
    CHECK(rows[0].begin.value() == doctest::Approx(-5.0));
    CHECK(rows[0].end.value() == doctest::Approx(20.0));
    CHECK_FALSE(rows[1].end.has_value());
    CHECK_FALSE(rows[4].begin.has_value());
    CHECK(rows[4].note == "known before");
}

TEST_CASE("timeline: as text, JSON and log, whatever a name has in it") {
    using enum TimelineRow::Kind;
    const std::vector<TimelineRow> rows{{event, "connect", 0.0, {}, {}},
                                        {question, "PTR \xff", 0.26, 20.31, "timeout"},
                                        {question, "TXT y", {}, {}, "known before"}};
    CHECK(milter::timeline_text(rows) == "         0.0            connect\n"
                                         "         0.3      20.3  PTR \\xff, timeout\n"
                                         "                        TXT y, known before\n");
    CHECK(milter::timeline_json(rows) == nlohmann::ordered_json::parse(R"([
        {"event": "connect", "begin_ms": 0.0},
        {"question": "PTR \\xff", "begin_ms": 0.26, "end_ms": 20.31, "note": "timeout"},
        {"question": "TXT y", "note": "known before"}])"));
    CHECK(milter::timeline_log(rows) ==
          R"( timeline_ms="connect 0.0; PTR \\xff 0.3-20.3, timeout; TXT y, known before")");
    const auto longest = milter::timeline_log(std::vector(1'000, rows[2]));
    CHECK(longest.size() > 3'900);
    CHECK(longest.size() < 4'100);
    CHECK(longest.ends_with("...\""));
}

TEST_CASE("timeline: a session notes its events, and forgets those of the last message") {
    Scene scene{policy::Mode::observe};
    scene.connect(tests::good_client);
    scene.send();
    const Timeline& timeline = scene.session.timeline();
    for (std::size_t i = 1; i < milter::all_events.size(); ++i) {
        CAPTURE(to_string(milter::all_events[i]));
        REQUIRE(timeline.at(milter::all_events[i]).has_value());
        CHECK(*timeline.at(milter::all_events[i]) >= *timeline.at(milter::all_events[i - 1]));
    }
    scene.session.mail("<other@example.org>");
    CHECK_FALSE(timeline.at(SessionEvent::end_of_header).has_value());
    CHECK(timeline.at(SessionEvent::helo).has_value());
}

TEST_CASE("timeline: what did not come by the deadline has its time") {
    Scene scene{policy::Mode::observe};
    scene.resolver->stall("example.org", RecordType::txt);
    scene.connect(tests::good_client);
    scene.send();
    const auto rows = milter::timeline_rows(scene.session.timeline(), scene.session.lookups());
    const auto row = std::ranges::find(rows, "TXT example.org", &TimelineRow::what);
    REQUIRE(row != rows.end());
    CHECK(row->note == "timeout");
    CHECK(row->end.value() - row->begin.value() > 0);
}
