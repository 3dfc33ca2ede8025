// What `sixgate` can be told to do. Each returns the exit status (sysexits.h).
#pragma once

#include "milter/config.hpp"
#include "milter/store/store.hpp"
#include "milter/subject.hpp"
#include "policy/journal.hpp"
#include "policy/rules.hpp"
#include "policy/selector.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace milter {

inline constexpr auto default_config_file = "/etc/sixgate/sixgate.toml";

struct RunOptions {
    std::string config_file; // empty: the default one
    bool in_foreground = false;
};

int run(const RunOptions& options);

int check_config(const std::string& config_file);

struct ExplainOptions {
    std::string config_file; // empty: the default one
    std::string case_id;     // of an entry of the journal; empty: the case is what follows
    std::string client;
    std::string helo;
    std::string mail_from; // empty: the null reverse-path
    std::vector<std::string> recipients;
    std::vector<policy::ListenerPattern> listeners; // what each says of the MTA's one listener
    std::optional<policy::Time> at;                 // empty: now
    std::string message; // a file, "-" for standard input, or empty: a message without content
    std::optional<policy::Mode> mode; // of every stage, instead of the configured ones
    bool is_authenticated = false;
    bool shows_all_stages = false; // what each of them would answer
    bool as_json = false;
};

int explain(const ExplainOptions& options);

struct ShowLogOptions {
    std::string config_file; // empty: the default one
    store::Filter filter;
    bool as_json = false;
    bool follows = false;
};

int show_log(const ShowLogOptions& options);

struct ForgetOptions {
    std::string config_file; // empty: the default one
    Subject subject;
    bool is_dry_run = false; // count, and remove nothing
};

int forget(const ForgetOptions& options);

struct ReportOptions {
    std::string candidate;  // configuration that the journal is replayed through; empty: none
    std::string journal_of; // configuration whose journal it is; empty: the candidate or default
    std::optional<policy::Time> since; // empty: of the last two weeks
    std::string stage;                 // that applied; empty: all
    std::optional<std::size_t> limit;  // of the rows of a table
    bool as_json = false;
    std::string html_file; // where a page goes instead, "-" for standard output; empty: nowhere
};

int report(const ReportOptions& options);

struct LetterOptions {
    std::string config_file;                 // empty: the default one
    std::string domain;                      // as A-labels in lower case
    std::optional<policy::Time> since;       // empty: of the last two weeks
    std::optional<std::chrono::sys_days> by; // empty: when the stages begin, if they do
    std::string template_file;               // empty: that of the configuration, or ours
    bool prints_template = false;            // ours, and nothing else
};

int write_letter(const LetterOptions& options);

struct HelpPageOptions {
    std::string config_file;       // empty: the default one
    std::string output_file = "-"; // "-": standard output
};

int write_help_page(const HelpPageOptions& options);

} // namespace milter
