#include "milter/verify/dkim_key.hpp"

#include "milter/verify/dkim_tags.hpp"
#include "policy/ascii.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace verify {

namespace {

using policy::DkimResult;

// libopendkim reads so much of a record and drops the rest, t=s or h= among it. RSA-4096 fits.
constexpr std::size_t longest_record = 1024;

// What it reads. Notes may be long.
constexpr auto tags_of_use = std::to_array<std::string_view>({"v", "h", "k", "p", "s", "t"});

tl::unexpected<DkimKeyFailure> permanent(const std::string& problem, const Question& question) {
    return tl::unexpected{DkimKeyFailure{DkimResult::permerror, problem + " at " + question.name}};
}

DkimKeyFailure no_answer(LookupFailure failure, const Question& question) {
    const auto reason = " (" + std::string{to_string(failure)} + ")";
    if (is_temporary(failure)) {
        return {DkimResult::temperror, "could not look up the key at " + question.name + reason};
    }
    return {DkimResult::permerror, "there is no key at " + question.name + reason};
}

// RFC 6376 section 6.1.2 step 4, which libopendkim leaves to its caller.
bool fits_algorithm(const TagList& key, std::string_view algorithm) {
    const auto key_type = key.find("k").value_or("rsa");
    return policy::same_name(key_type, algorithm.substr(0, algorithm.find('-')));
}

// Section 3.6.1: v= is the first tag, if it is one.
bool has_misplaced_version(const TagList& key) {
    return key.find("v") && key.tags.front().name != "v";
}

std::string without_notes(const TagList& key) {
    std::string record;
    for (const auto& tag : key.tags) {
        if (std::ranges::find(tags_of_use, tag.name) != tags_of_use.end()) {
            record += tag.name + '=' + tag.value + ';';
        }
    }
    return record;
}

} // namespace

tl::expected<DkimKey, DkimKeyFailure>
read_key(const Question& question, const Answer& answer, std::string_view algorithm) {
    if (!answer) {
        return tl::unexpected{no_answer(answer.error(), question)};
    }
    if (answer->texts.empty()) {
        return tl::unexpected{no_answer(LookupFailure::no_record, question)};
    }
    if (answer->texts.size() > 1) {
        return permanent("there are several TXT records", question);
    }
    const auto tags = parse_tag_list(answer->texts.front());
    if (!tags.problem.empty()) {
        return permanent("the key record " + tags.problem, question);
    }
    if (has_misplaced_version(tags)) {
        return permanent("the key record has a v= that is not its first tag", question);
    }
    if (!tags.find("p")) {
        return permanent("the TXT record is no key", question);
    }
    if (!fits_algorithm(tags, algorithm)) {
        return permanent("the key is not one for " + std::string{algorithm}, question);
    }
    auto record = without_notes(tags);
    if (record.size() > longest_record) {
        return permanent("the key record is longer than 1024 octets", question);
    }
    return DkimKey{std::move(record), count_in_list(tags.value_of("t"), "y") > 0};
}

} // namespace verify
