#include "milter/progress.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

using milter::Progress;
using milter::Terminal;
using namespace std::chrono_literals;

namespace {

constexpr Terminal terminal{80, true, false};

// What is shown after `steps` of 512, and when it is over.
std::string shown_after(int steps, const Terminal& of, std::chrono::milliseconds patience) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream{std::tmpfile(), std::fclose};
    REQUIRE(stream);
    {
        Progress progress{"entries", 512, {stream.get(), of, patience}};
        for (int i = 0; i < steps; ++i) {
            progress.step();
        }
    }
    std::string text(1'000, '\0');
    std::rewind(stream.get());
    text.resize(std::fread(text.data(), 1, text.size(), stream.get()));
    return text;
}

} // namespace

TEST_CASE("progress: a bar with how much is done, that is taken away") {
    CHECK(shown_after(300, terminal, 0ms) ==
          "\r 50% ############             256 of 512 entries\033[K\r\033[K");
    CHECK(shown_after(300, {40, true, false}, 0ms) == "\r 50% \033[K\r\033[K");
}

TEST_CASE("progress: nothing for what is done in a moment, or where no terminal shows it") {
    CHECK(shown_after(300, terminal, 1h).empty());
    CHECK(shown_after(300, {80, false, false}, 0ms).empty());
    CHECK(shown_after(10, terminal, 0ms).empty());
}
