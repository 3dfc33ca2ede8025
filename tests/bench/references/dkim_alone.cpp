// What libopendkim costs in process, without a milter around it: prints one JSON object.
//
//     dkim_alone CORPUS MANIFEST SECONDS
#include "tests/bench/load/manifest.hpp"
#include "tests/bench/references/dkim_check.hpp"

#include <cstdio>
#include <ctime>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t chunk = 65535; // what an MTA sends of a body at a time

void check(const bench::Content& content) {
    bench::DkimCheck dkim;
    for (const auto& [name, value] : content.fields()) {
        dkim.header({name.data(), name.size() + 1 + value.size()});
    }
    dkim.end_of_header();
    for (std::size_t at = 0; at < content.body().size(); at += chunk) {
        dkim.body(content.body().substr(at, chunk));
    }
    if (!dkim.passes()) {
        throw std::runtime_error{"a signature does not pass"};
    }
}

double cpu_seconds() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

void measure(const std::string& corpus, const std::string& manifest, double seconds) {
    bench::load_keys(corpus + "/keys.tsv");
    const auto samples = bench::read_manifest(corpus + '/' + manifest, 0);
    for (const auto& sample : samples) {
        check(*sample.content);
    }
    std::size_t messages = 0;
    const double began = cpu_seconds();
    while (cpu_seconds() - began < seconds) {
        for (const auto& sample : samples) {
            check(*sample.content);
        }
        messages += samples.size();
    }
    std::printf(R"({"good": true, "messages": %zu, "cpu_us": %.1f})"
                "\n",
                messages,
                (cpu_seconds() - began) * 1e6 / static_cast<double>(messages));
}

} // namespace

int main(int argc, char** argv) {
    try {
        const std::vector<std::string> arguments{argv + 1, argv + argc};
        measure(arguments.at(0), arguments.at(1), std::stod(arguments.at(2)));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "dkim_alone: %s\n", error.what());
        return 1;
    }
}
