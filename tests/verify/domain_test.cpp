#include "milter/verify/domain.hpp"

#include <doctest/doctest.h>
#include <idn2.h>

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

namespace {

// What libidn2 makes of a name; the name itself where it makes nothing of it.
std::string by_libidn2(const std::string& name) {
    char* converted = nullptr;
    if (idn2_to_ascii_8z(name.c_str(), &converted, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) !=
        IDN2_OK) {
        return name;
    }
    std::string result{converted};
    idn2_free(converted);
    return result;
}

} // namespace

TEST_CASE("domain: names of ASCII become what libidn2 makes of them") {
    // Many hyphens, dots and x's: what is long, empty, or looks like an A-label must come up.
    static constexpr std::string_view letters = "aZ09_--..xXnN";
    std::mt19937 random{1};
    const auto below = [&random](std::size_t end) {
        return std::uniform_int_distribution<std::size_t>{0, end - 1}(random);
    };
    for (int i = 0; i < 20000; ++i) {
        std::string name;
        for (auto size = below(i % 50 == 0 ? 300 : 20); size > 0; --size) {
            name += letters[below(letters.size())];
        }
        if (name.ends_with('.')) {
            name += 'a';
        }
        CAPTURE(name);
        CHECK(verify::to_a_labels(name) == by_libidn2(name));
    }
    for (const std::size_t size : {63U, 64U, 65U}) {
        const std::string label(size, 'A');
        CHECK(verify::to_a_labels(label + ".example") == by_libidn2(label + ".example"));
    }
}

TEST_CASE("domain: U-labels become A-labels") {
    CHECK(verify::to_a_labels("B\u00fccher.Example.") == "xn--bcher-kva.example");
    CHECK(verify::to_a_labels("xn--bcher-kva.example") == "xn--bcher-kva.example");
    CHECK(verify::to_a_labels("a\xff.example") == "a\xff.example");
}
