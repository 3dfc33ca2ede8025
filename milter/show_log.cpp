// `sixgate log`: the journal, an entry a line, and what is added to it as it comes.
#include "milter/commands.hpp"
#include "milter/evidence_json.hpp"
#include "milter/journal.hpp"
#include "milter/setup.hpp"
#include "milter/since.hpp"
#include "milter/standard_output.hpp"
#include "policy/journal.hpp"
#include "policy/printable.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sysexits.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>

namespace milter {

namespace {

constexpr auto pause_between_looks = std::chrono::milliseconds{500};

extern "C" void end_quietly(int /*signal*/) {
    _exit(EX_OK);
}

// Whoever reads may have seen enough: `| head` after ten lines, and --follow ends at ^C.
void end_quietly_with_the_reader(const ShowLogOptions& options) {
    std::signal(SIGPIPE, end_quietly);
    if (options.follows) {
        std::signal(SIGINT, end_quietly);
    }
}

std::string line_of(const policy::JournalEntry& entry, bool as_json) {
    if (as_json) {
        return to_json(entry).dump();
    }
    return to_string(entry.time) + ' ' + policy::printable(entry.host) + ' ' +
           policy::log_line(entry);
}

// Also while nothing is written to it.
bool is_reader_gone_after(std::chrono::milliseconds pause) {
    pollfd output{STDOUT_FILENO, 0, 0};
    const int count = poll(&output, 1, static_cast<int>(pause.count()));
    return count > 0 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

void follow(store::Store& store, const store::Filter& filter, const store::Store::Visit& show) {
    const auto show_now = [&](const policy::JournalEntry& entry) {
        show(entry);
        flush_standard_output();
    };
    store::Store::Position position = filter.since ? 0 : store.end();
    do {
        const auto reading = store.read(filter, position, show_now);
        tell(reading.unreadable);
        position = reading.position;
    } while (!is_reader_gone_after(pause_between_looks));
}

} // namespace

int show_log(const ShowLogOptions& options) {
    const auto config = load_or_tell(options.config_file);
    if (!config) {
        return EX_CONFIG;
    }
    end_quietly_with_the_reader(options);
    const auto store = open_journal_store(config->store);
    const auto show = [&](const policy::JournalEntry& entry) {
        fmt::print("{}\n", line_of(entry, options.as_json));
    };
    if (options.follows) {
        follow(*store, options.filter, show);
    } else {
        tell(store->read(options.filter, 0, show).unreadable);
    }
    flush_standard_output();
    return EX_OK;
}

} // namespace milter
