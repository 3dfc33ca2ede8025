// Plays many SMTP sessions to a filter that speaks the milter protocol, measures it, and holds what
// it says of every message to what is true. tests/bench/run calls it.
//
// Prints one JSON object. Exit status 3: something was wrong, and the object tells what.
#include "tests/bench/load/generator.hpp"
#include "tests/bench/load/manifest.hpp"
#include "tests/bench/load/measurement.hpp"

#include <CLI/CLI.hpp>
#include <sys/resource.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

struct Options {
    std::string manifest;
    std::size_t samples = 0;
    double seconds = 0;
    std::vector<std::string> verdicts{"eom:continue", "eom:accept"};
    bench::Load load;
    bench::MeasurementSettings measurement;
};

void add_options(CLI::App& app, Options& options) {
    app.add_option("--socket", options.load.socket, "The filter's unix socket")->required();
    app.add_option("--manifest", options.manifest, "The messages, a line each")->required();
    app.add_option("--samples", options.samples, "Only the first so many of them, again and again");
    app.add_option("--sessions", options.load.sessions, "So many at all times (closed loop)");
    app.add_option("--rate", options.load.rate, "So many begin a second (open loop)");
    app.add_option("--idle", options.load.idle, "Connections that say nothing after HELO");
    app.add_option("--warm-up", options.measurement.warm_up, "Messages that are not measured");
    app.add_option("--most", options.measurement.most, "Messages that are measured");
    app.add_option("--seconds", options.seconds, "How long is measured");
    app.add_option("--process", options.measurement.processes, "A process of the filter");
    app.add_option("--require", options.measurement.required, "iprev, spf or dkim must be true");
    app.add_option("--verdict", options.verdicts, "What messages may end with, as eom:continue");
}

int run(Options& options) {
    options.measurement.time = std::chrono::duration<double>{options.seconds};
    options.measurement.verdicts = {options.verdicts.begin(), options.verdicts.end()};
    if (options.measurement.most > 0) {
        options.load.most =
            options.measurement.warm_up + options.measurement.most + options.load.sessions;
    }
    const auto samples = bench::read_manifest(options.manifest, options.samples);
    bench::Measurement measurement{options.measurement};
    bench::Generator generator{options.load, samples, measurement};
    generator.run();
    std::puts(measurement.json().c_str());
    return measurement.is_good() ? 0 : 3;
}

// A descriptor for each session.
void allow_many_descriptors() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace

int main(int argc, char** argv) {
    try {
        CLI::App app{"Measures a milter."};
        Options options;
        add_options(app, options);
        CLI11_PARSE(app, argc, argv);
        allow_many_descriptors();
        return run(options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "milter_load: %s\n", error.what());
        return 1;
    }
}
