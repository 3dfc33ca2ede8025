// The command line.
#include "milter/commands.hpp"

#include <CLI/CLI.hpp>
#include <sysexits.h>

#include <cstdio>
#include <exception>
#include <optional>
#include <string>

namespace {

CLI::Option* add_config(CLI::App& command, std::string& file) {
    return command.add_option("--config", file, "Configuration file")->type_name("FILE");
}

// The file may be named as for the other commands, too.
void add_check(CLI::App& command, std::string& file) {
    auto* const named = add_config(command, file);
    command.add_option("FILE", file, "Configuration file")->excludes(named);
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

void add_explain(CLI::App& command, milter::ExplainOptions& options) {
    add_config(command, options.config_file);
    command.add_option("--client", options.client, "IP address of the SMTP client")->required();
    command.add_option("--helo", options.helo, "EHLO argument")->required();
    command.add_option("--mail-from", options.mail_from, "Reverse-path; \"\" is the null path")
        ->required();
    command.add_option("--rcpt", options.recipients, "Recipient; may be given again")
        ->type_name("ADDR")
        ->allow_extra_args(false);
    command.add_flag("--authenticated", options.is_authenticated, "As if after SMTP AUTH");
    add_mode(command, options.mode);
    command.add_flag("--json", options.as_json, "Print JSON");
    command.add_option("MESSAGE", options.message, "Message file, - for standard input");
}

// Parses the command line and does what it says.
int run_command(int argc, char** argv) {
    CLI::App app{"Holds mail that arrives over IPv6 to reverse DNS and SPF or DKIM"};
    app.name("sixgate");
    app.set_version_flag("--version", "sixgate " SIXGATE_VERSION);
    app.require_subcommand(1);

    milter::RunOptions run_options;
    auto* const run = app.add_subcommand("run", "Serve an MTA");
    add_config(*run, run_options.config_file);
    run->add_flag(
        "--foreground", run_options.in_foreground, "Log to standard error, not to syslog");

    std::string checked_file;
    auto* const check =
        app.add_subcommand("check-config", "Say what is wrong with a configuration");
    add_check(*check, checked_file);

    milter::ExplainOptions explain_options;
    auto* const explain = app.add_subcommand("explain", "Judge one case and show what it rests on");
    add_explain(*explain, explain_options);

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? EX_OK : EX_USAGE;
    }
    if (run->parsed()) {
        return milter::run(run_options);
    }
    return check->parsed() ? milter::check_config(checked_file) : milter::explain(explain_options);
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
