// The command line.
#include "milter/arguments.hpp"
#include "milter/commands.hpp"
#include "milter/network.hpp"

#include <CLI/CLI.hpp>
#include <sysexits.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

CLI::Option* add_config(CLI::App& command, std::string& file) {
    return command.add_option("--config", file, "Configuration file")->type_name("FILE");
}

// A subcommand, and what does it once the command line is read.
struct Command {
    CLI::App* app;
    std::function<int()> run;
};

Command add_run(CLI::App& app) {
    auto* const command = app.add_subcommand("run", "Serve an MTA");
    const auto options = std::make_shared<milter::RunOptions>();
    add_config(*command, options->config_file);
    command->add_flag(
        "--foreground", options->in_foreground, "Log to standard error, not to syslog");
    return {command, [options] { return milter::run(*options); }};
}

// The file may be named as for the other commands, too.
Command add_check_config(CLI::App& app) {
    auto* const command =
        app.add_subcommand("check-config", "Say what is wrong with a configuration");
    const auto file = std::make_shared<std::string>();
    auto* const named = add_config(*command, *file);
    command->add_option("FILE", *file, "Configuration file")->excludes(named);
    return {command, [file] { return milter::check_config(*file); }};
}

void add_mode(CLI::App& command, std::optional<policy::Mode>& mode) {
    const std::string words = "off, observe, tag, soft, enforce or closed";
    const auto read = [&mode, words](const std::string& word) {
        mode = policy::mode_from(word);
        if (!mode) {
            throw CLI::ValidationError{"--mode", word + " is not " + words};
        }
    };
    command.add_option_function<std::string>("--mode", read, "As if in this mode: " + words)
        ->type_name("MODE");
}

// An option whose text `read` makes a value of, or says in words what is wrong with it.
template <typename Value, typename Read>
CLI::Option* add_read(
    CLI::App& command, const std::string& name, Value& value, Read read, const std::string& help) {
    const auto take = [name, &value, read](const std::string& text) {
        auto taken = read(text);
        if (!taken) {
            throw CLI::ValidationError{name, taken.error()};
        }
        value = std::move(*taken);
    };
    return command.add_option_function<std::string>(name, take, help);
}

// The same, of which there may be several.
template <typename Value, typename Read>
CLI::Option* add_all_read(CLI::App& command,
                          const std::string& name,
                          std::vector<Value>& values,
                          Read read,
                          const std::string& help) {
    const auto take = [name, &values, read](const std::vector<std::string>& texts) {
        for (const auto& text : texts) {
            auto taken = read(text);
            if (!taken) {
                throw CLI::ValidationError{name, taken.error()};
            }
            values.push_back(std::move(*taken));
        }
    };
    return command.add_option_function<std::vector<std::string>>(name, take, help)
        ->allow_extra_args(false);
}

// A case that is made up: an envelope, and a message.
void add_made_up_case(CLI::App& command, milter::ExplainOptions& options) {
    const std::vector<CLI::Option*> required{
        command.add_option("--client", options.client, "IP address of the SMTP client"),
        command.add_option("--helo", options.helo, "EHLO argument"),
        command.add_option(
            "--mail-from", options.mail_from, "Reverse-path; \"\" is the null path")};
    command.add_option("--rcpt", options.recipients, "Recipient; may be given again")
        ->type_name("ADDR")
        ->allow_extra_args(false);
    add_all_read(command,
                 "--listener",
                 options.listeners,
                 milter::read_listener,
                 "Where it comes in: address, [address]:port, :port or name")
        ->type_name("LISTENER");
    add_read(
        command, "--at", options.at, milter::read_time_option, "As if then: 2026-11-22T08:00:00Z")
        ->type_name("TIME");
    command.add_flag("--authenticated", options.is_authenticated, "As if after SMTP AUTH");
    command.add_option("MESSAGE", options.message, "Message file, - for standard input");
    command.callback([required, &options] {
        for (const auto* const option : required) {
            if (option->empty() && options.case_id.empty()) {
                throw CLI::RequiredError{option->get_name() + " or --case"};
            }
        }
    });
}

Command add_explain(CLI::App& app) {
    auto* const command = app.add_subcommand("explain", "Judge one case and show what it rests on");
    const auto options = std::make_shared<milter::ExplainOptions>();
    add_made_up_case(*command, *options);
    const auto made_up = command->get_options(
        [help = command->get_help_ptr()](const CLI::Option* option) { return option != help; });
    auto* const kept =
        command
            ->add_option("--case", options->case_id, "Instead of these: one that is in the journal")
            ->type_name("ID");
    for (auto* const option : made_up) {
        kept->excludes(option);
    }
    add_config(*command, options->config_file);
    add_mode(*command, options->mode);
    command->add_flag(
        "--all-stages", options->shows_all_stages, "Show what each stage would answer");
    command->add_flag("--json", options->as_json, "Print JSON");
    return {command, [options] { return milter::explain(*options); }};
}

void add_since(CLI::App& command, std::optional<policy::Time>& since) {
    add_read(command, "--since", since, milter::read_since, "From then on: 14d, 2h or 2026-11-22")
        ->type_name("TIME");
}

Command add_log(CLI::App& app) {
    auto* const command = app.add_subcommand("log", "Show the journal, an entry a line");
    const auto options = std::make_shared<milter::ShowLogOptions>();
    store::Filter& filter = options->filter;
    add_config(*command, options->config_file);
    add_since(*command, filter.since);
    add_read(*command, "--reason", filter.reason, milter::read_reason, "For which mail falls short")
        ->type_name("REASON");
    add_read(*command, "--client", filter.client, milter::parse_network, "Address or network")
        ->type_name("ADDR");
    add_read(*command, "--domain", filter.domain, milter::read_domain_option, "Of MAIL FROM")
        ->type_name("DOMAIN");
    command->add_option("--case", filter.case_id, "The number that the sender was told")
        ->type_name("ID");
    command->add_option("--stage", filter.stage, "That applied")->type_name("NAME");
    command->add_flag("--json", options->as_json, "Print a JSON object a line");
    command->add_flag("--follow", options->follows, "Go on with what is added, until ^C");
    return {command, [options] { return milter::show_log(*options); }};
}

Command add_forget(CLI::App& app) {
    auto* const command = app.add_subcommand("forget", "Remove what the journal says of somebody");
    const auto options = std::make_shared<milter::ForgetOptions>();
    add_config(*command, options->config_file);
    command->add_flag("--dry-run", options->is_dry_run, "Count, and remove nothing");
    add_read(*command,
             "SUBJECT",
             options->subject,
             milter::read_subject,
             "Domain, mail address, or client's address or network")
        ->type_name("")
        ->required();
    return {command, [options] { return milter::forget(*options); }};
}

Command add_report(CLI::App& app) {
    auto* const command = app.add_subcommand("report", "Say what enforcing would refuse, and whom");
    const auto options = std::make_shared<milter::ReportOptions>();
    command->add_option("--config", options->candidate, "What this configuration would answer")
        ->type_name("CANDIDATE");
    command->add_option("--journal-of", options->journal_of, "Configuration whose journal is read")
        ->type_name("FILE");
    add_since(*command, options->since);
    command->add_option("--stage", options->stage, "That applied")->type_name("NAME");
    command
        ->add_option("--limit", options->limit, "Rows of a table: 10, 25 in HTML, and all in JSON")
        ->check(CLI::Range(1, 1'000'000))
        ->type_name("N");
    auto* const json = command->add_flag("--json", options->as_json, "Print JSON");
    command->add_option("--html", options->html_file, "Write a page for a browser, - for output")
        ->type_name("FILE")
        ->excludes(json);
    return {command, [options] { return milter::report(*options); }};
}

Command add_letter(CLI::App& app) {
    auto* const command =
        app.add_subcommand("letter", "Write to a domain's postmaster what falls short, and why");
    const auto options = std::make_shared<milter::LetterOptions>();
    add_config(*command, options->config_file);
    add_since(*command, options->since);
    add_read(*command, "--by", options->by, milter::read_day, "Until when to mend it: 2026-12-01")
        ->type_name("DATE");
    command->add_option("--template", options->template_file, "Of the letter, instead of ours")
        ->type_name("FILE");
    auto* const domain =
        add_read(*command, "DOMAIN", options->domain, milter::read_domain_name, "Whose postmaster")
            ->type_name("");
    auto* const print =
        command->add_flag("--print-template", options->prints_template, "Print ours, to change it");
    domain->excludes(print);
    command->callback([domain, print] {
        if (domain->empty() && print->empty()) {
            throw CLI::RequiredError{"DOMAIN"};
        }
    });
    return {command, [options] { return milter::write_letter(*options); }};
}

Command add_help_page(CLI::App& app) {
    auto* const command =
        app.add_subcommand("help-page", "Write the page that help_url leads senders to");
    const auto options = std::make_shared<milter::HelpPageOptions>();
    add_config(*command, options->config_file);
    command->add_option("--output", options->output_file, "Instead of standard output")
        ->type_name("FILE");
    return {command, [options] { return milter::write_help_page(*options); }};
}

// Parses the command line and does what it says.
int run_command(int argc, char** argv) {
    CLI::App app{"Holds mail that arrives over IPv6 to reverse DNS and SPF or DKIM"};
    app.name("sixgate");
    app.set_version_flag("--version", "sixgate " SIXGATE_VERSION);
    app.require_subcommand(1);
    const std::vector<Command> commands{add_run(app),
                                        add_check_config(app),
                                        add_explain(app),
                                        add_log(app),
                                        add_report(app),
                                        add_forget(app),
                                        add_letter(app),
                                        add_help_page(app)};

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? EX_OK : EX_USAGE;
    }
    const auto is_meant = [](const Command& command) { return command.app->parsed(); };
    return std::ranges::find_if(commands, is_meant)->run();
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run_command(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "sixgate: %s\n", error.what());
        return EX_SOFTWARE;
    }
}
