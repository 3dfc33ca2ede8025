#include "milter/since.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace std::chrono_literals;

namespace {

constexpr policy::Time noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + 12h};

std::string since(std::string_view text) {
    const auto time = milter::parse_since(text, noon);
    return time ? milter::to_string(*time) : "refused";
}

} // namespace

TEST_CASE("since: a length of time before now") {
    CHECK(since("90s") == "2026-11-22T11:58:30Z");
    CHECK(since("30m") == "2026-11-22T11:30:00Z");
    CHECK(since("12h") == "2026-11-22T00:00:00Z");
    CHECK(since("14d") == "2026-11-08T12:00:00Z");
    CHECK(since("2w") == "2026-11-08T12:00:00Z");
    CHECK(since("0d") == "2026-11-22T12:00:00Z");
    CHECK(since("99999s") == "2026-11-21T08:13:21Z");
    for (const auto* const text :
         {"", "d", "14", "14D", "14 d", "-1d", "+1d", "1.5d", "1d12h", "14y", "999999d", " 14d"}) {
        CAPTURE(text);
        CHECK(since(text) == "refused");
    }
}

TEST_CASE("since: a date, or a moment as it is printed") {
    CHECK(since("2026-11-01") == "2026-11-01T00:00:00Z");
    CHECK(since("2024-02-29") == "2024-02-29T00:00:00Z");
    CHECK(since("2026-11-01T08:30") == "2026-11-01T08:30:00Z");
    CHECK(since("2026-11-01T08:30Z") == "2026-11-01T08:30:00Z");
    CHECK(since("2026-11-01T08:30:15") == "2026-11-01T08:30:15Z");
    CHECK(since(milter::to_string(noon)) == "2026-11-22T12:00:00Z");
    for (const auto* const text : {"2026-11",
                                   "2026-11-31",
                                   "2026-02-29",
                                   "2026-13-01",
                                   "2026-00-01",
                                   "2026-11-00",
                                   "2026-1-1",
                                   "2026/11/01",
                                   "01-11-2026",
                                   "2026-11-01T",
                                   "2026-11-01Z",
                                   "2026-11-01 08:30",
                                   "2026-11-01T8:30",
                                   "2026-11-01T24:00",
                                   "2026-11-01T08:60",
                                   "2026-11-01T-0:30",
                                   "2026-11-01T08:30:60",
                                   "2026-11-01T08:30+01:00",
                                   "2026-11-01T08:30:15.5",
                                   "yesterday"}) {
        CAPTURE(text);
        CHECK(since(text) == "refused");
    }
}

TEST_CASE("time: RFC 3339 with its offset") {
    const auto time = [](std::string_view text) {
        const auto read = milter::parse_time(text);
        return read ? milter::to_string(*read) : "refused";
    };
    CHECK(time("2026-11-22T08:00:00Z") == "2026-11-22T08:00:00Z");
    CHECK(time("2026-11-22T08:00:00+01:00") == "2026-11-22T07:00:00Z");
    CHECK(time("2026-11-22T00:30:00+05:45") == "2026-11-21T18:45:00Z");
    CHECK(time("2026-12-31T23:00:00-02:00") == "2027-01-01T01:00:00Z");
    CHECK(time("2026-11-22T08:00:00-00:00") == "2026-11-22T08:00:00Z");
    CHECK(time("2026-11-22T08:00+01:00") == "2026-11-22T07:00:00Z");
    for (const auto* const text : {"",
                                   "Z",
                                   "2026-11-22",
                                   "2026-11-22Z",
                                   "2026-11-22T08:00:00",
                                   "2026-11-22T08:00:00+1:00",
                                   "2026-11-22T08:00:00+0100",
                                   "2026-11-22T08:00:00+24:00",
                                   "2026-11-22T08:00:00+01:60",
                                   "2026-11-22T08:00:00ZZ",
                                   "2026-11-22T08:00:00Z+01:00",
                                   "2026-11-22T24:00:00Z",
                                   "2026-11-31T08:00:00Z",
                                   "14d"}) {
        CAPTURE(text);
        CHECK(time(text) == "refused");
    }
}
