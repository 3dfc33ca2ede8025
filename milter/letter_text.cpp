#include "milter/letter_text.hpp"

#include "milter/report_words.hpp"
#include "policy/ascii.hpp"
#include "policy/placeholders.hpp"
#include "policy/printable.hpp"
#include "policy/template_text.hpp"
#include "policy/text_lines.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <vector>

namespace milter {

namespace {

constexpr std::size_t letter_columns = 72;
constexpr std::size_t most_told = 12; // findings: more are for the next letter

struct LetterScene {
    const policy::LetterFacts& facts;
    const LetterContext& context;
};

std::string day_of_letter(policy::Time time) {
    return date(std::chrono::floor<std::chrono::days>(time));
}

// --- What was found -----------------------------------------------------------------------------

// Broken at its spaces; what is a record, or an address, is one word or stays whole.
std::string indented_letter(std::string_view text, const std::string& indent) {
    std::string lines;
    for (const auto& line : policy::wrap(text, letter_columns - indent.size(), "")) {
        lines += indent + line + '\n';
    }
    return lines;
}

bool is_zone_record(std::string_view line) {
    return line.find(". PTR ") != std::string_view::npos ||
           line.find(". AAAA ") != std::string_view::npos;
}

std::string clients_of(const policy::LetterFinding& finding) {
    std::string lines = "   from " + finding.clients.front().to_string() + ", which says HELO " +
                        policy::printable(finding.example.evidence.helo, 100) + '\n';
    for (std::size_t i = 1; i < finding.clients.size(); ++i) {
        lines += "   and  " + finding.clients[i].to_string() + '\n';
    }
    if (finding.all_clients > finding.clients.size()) {
        lines += "   and  " + grouped(finding.all_clients - finding.clients.size()) +
                 " more addresses\n";
    }
    return lines;
}

std::string text_of_finding(const policy::LetterFinding& finding, std::size_t number) {
    std::string text = std::to_string(number) + ". " +
                       counted(finding.messages, "delivery, ", "deliveries, ") +
                       day_of_letter(finding.first) + " to " + day_of_letter(finding.last) + '\n' +
                       clients_of(finding) + indented_letter("Found: " + finding.found(), "   ") +
                       "   To mend it:\n";
    for (const auto& line : finding.remedy()) {
        text += is_zone_record(line) ? "     " + line + '\n' : indented_letter(line, "     ");
    }
    for (const auto& hint : finding.hints()) {
        text += indented_letter("Hint: " + hint, "   ");
    }
    return text;
}

// Of how many faults nothing is told, if of any.
std::string left_out(const policy::LetterFacts& facts) {
    std::string text;
    if (facts.findings.size() > most_told) {
        text = counted(facts.findings.size() - most_told, "fault more", "faults more");
    }
    if (facts.untold > 0) {
        text += (text.empty() ? "" : ", and ") + counted(facts.untold, "delivery", "deliveries") +
                " with still other faults";
    }
    return text.empty() ? text : "\nNot told here: " + text + ".\n";
}

std::string findings(const LetterScene& scene) {
    const auto& all = scene.facts.findings;
    std::string text;
    for (std::size_t i = 0; i < std::min(all.size(), most_told); ++i) {
        text += (i == 0 ? "" : "\n") + text_of_finding(all[i], i + 1);
    }
    text += left_out(scene.facts);
    text.pop_back(); // the template has the last line's end
    return text;
}

// --- Placeholders -------------------------------------------------------------------------------

std::string number_if_any(std::uint64_t number) {
    return number == 0 ? "" : grouped(number);
}

// As the reply to the first of the findings has it.
std::string help_url(const LetterScene& scene) {
    const auto& finding = scene.facts.findings.front();
    policy::Verdict verdict = finding.example.verdict;
    verdict.reason = finding.reason;
    const policy::ReplyContext context{
        finding.example.case_id, scene.context.site, scene.context.help_url};
    return policy::help_address({verdict, finding.example.evidence, context});
}

// The template has the full stop, and the last line's end.
std::string asked(const LetterScene& scene) {
    std::string text = indented_letter(scene.context.asked, "");
    if (!text.empty()) {
        text.pop_back();
    }
    return text;
}

// Several lines, which no header field has.
bool is_long(std::string_view name) {
    return name == "asked" || name == "findings";
}

struct LetterPlaceholder {
    std::string_view name;
    std::string (*value)(const LetterScene& scene);
};

constexpr auto letter_placeholders = std::to_array<LetterPlaceholder>({
    {"domain", [](const LetterScene& scene) { return scene.context.domain; }},
    {"site", [](const LetterScene& scene) { return scene.context.site; }},
    {"asked", asked},
    {"messages", [](const LetterScene& scene) { return grouped(scene.facts.messages); }},
    {"short", [](const LetterScene& scene) { return grouped(scene.facts.short_ones); }},
    {"refused", [](const LetterScene& scene) { return number_if_any(scene.facts.refused); }},
    {"first_day", [](const LetterScene& scene) { return day_of_letter(scene.facts.first); }},
    {"last_day", [](const LetterScene& scene) { return day_of_letter(scene.facts.last); }},
    {"deadline", [](const LetterScene& scene) { return scene.context.deadline; }},
    {"probe", [](const LetterScene& scene) { return scene.context.probe; }},
    {"help_url", help_url},
    {"findings", findings},
});

const LetterPlaceholder* placeholder_named(std::string_view name) {
    const auto* const found =
        std::ranges::find(letter_placeholders, name, &LetterPlaceholder::name);
    return found == letter_placeholders.end() ? nullptr : found;
}

bool is_known(std::string_view name) {
    return placeholder_named(name) != nullptr;
}

bool is_known_and_short(std::string_view name) {
    return is_known(name) && !is_long(name);
}

// --- The template -------------------------------------------------------------------------------

std::vector<std::string_view> letter_lines(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        lines.push_back(line);
    }
    return lines;
}

// RFC 5322 section 2.2: a name of printable characters and a colon. No field is folded.
bool is_letter_field(std::string_view line) {
    const auto name = line.substr(0, line.find(':'));
    const auto is_of_name = [](char c) { return policy::is_printable(c) && c != ' '; };
    return !name.empty() && name.size() < line.size() && std::ranges::all_of(name, is_of_name) &&
           std::ranges::all_of(line, policy::is_printable);
}

std::optional<std::string> fault_in_letter_line(std::string_view line, bool is_in_header) {
    if (is_in_header && !is_letter_field(line)) {
        return "is no header field (\"Name: words in ASCII\"), and no blank line came before it";
    }
    auto fault = policy::fault_in_braces(line, is_known);
    if (!fault && is_in_header && policy::fault_in_braces(line, is_known_and_short)) {
        fault = "a header field is one line: {asked} and {findings} may stand in the text";
    }
    return fault;
}

// Empty: a placeholder in it stands for nothing.
std::optional<std::string> filled_or_nothing(std::string_view text, const LetterScene& scene) {
    bool has_nothing = false;
    std::string all = policy::filled_in(text, [&](std::string_view name) {
        std::string value = placeholder_named(name)->value(scene);
        has_nothing = has_nothing || value.empty();
        return value;
    });
    return has_nothing ? std::nullopt : std::optional{std::move(all)};
}

} // namespace

std::optional<LetterFault> fault_in_letter(std::string_view letter) {
    std::uint32_t number = 0;
    bool is_in_header = true;
    bool has_text = false;
    for (const auto line : letter_lines(letter)) {
        ++number;
        if (line.empty() && number > 1) {
            is_in_header = false;
            continue;
        }
        if (auto fault = fault_in_letter_line(line, is_in_header)) {
            return LetterFault{number, *std::move(fault)};
        }
        has_text = has_text || !is_in_header;
    }
    if (!has_text) {
        return LetterFault{std::max(number, 1U), "has no text after its header fields"};
    }
    return std::nullopt;
}

std::string letter_text(std::string_view letter,
                        const policy::LetterFacts& facts,
                        const LetterContext& context) {
    const LetterScene scene{facts, context};
    std::string text;
    std::string paragraph; // of the template
    bool is_in_header = true;
    const auto end_paragraph = [&] {
        if (const auto whole = filled_or_nothing(paragraph, scene); whole && !whole->empty()) {
            text += '\n' + *whole;
        }
        paragraph.clear();
    };
    for (const auto line : letter_lines(letter)) {
        if (line.empty()) {
            end_paragraph();
            is_in_header = false;
        } else if (is_in_header) {
            const auto field = filled_or_nothing(line, scene);
            text += field ? *field + '\n' : "";
        } else {
            paragraph += std::string{line} + '\n';
        }
    }
    end_paragraph();
    return text;
}

} // namespace milter
