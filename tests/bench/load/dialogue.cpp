#include "tests/bench/load/dialogue.hpp"

#include <libmilter/mfdef.h>

#include <initializer_list>
#include <utility>

namespace bench {

namespace {

using Macros = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// The steps by which a filter does without an event, or without answering it.
struct Steps {
    unsigned long not_sent;
    unsigned long no_reply;
};

std::string event(char command, Macros macros, std::string_view content) {
    std::string octets;
    if (macros.size() != 0) {
        std::string text(1, command);
        for (const auto& [name, value] : macros) {
            append_string(text, name);
            append_string(text, value);
        }
        append_packet(octets, SMFIC_MACRO, text);
    }
    append_packet(octets, command, content);
    return octets;
}

std::string with_null(std::string text) {
    text += '\0';
    return text;
}

std::string connect_content(const Sample& sample) {
    const bool is_ipv6 = sample.client.find(':') != std::string::npos;
    std::string content = with_null(sample.client_name);
    content += is_ipv6 ? SMFIA_INET6 : SMFIA_INET;
    content += "\x61\xa8"; // port 25000
    append_string(content, sample.client);
    return content;
}

// Collects what needs no answer, until something does.
class Dialogue {
public:
    explicit Dialogue(unsigned long steps) : steps_{steps} {}

    void tell(Stage stage, Steps steps, const std::string& octets) {
        if ((steps_ & steps.not_sent) != 0) {
            return;
        }
        pending_ += octets;
        if ((steps_ & steps.no_reply) == 0) {
            turns_.push_back({stage, std::exchange(pending_, {}), {}, {}});
        }
    }

    void tell_message(const Packets& packets, const std::string& end_of_message) {
        const std::string_view all{packets.octets};
        std::size_t from = 0;
        for (const std::size_t end : packets.waits) {
            turns_.push_back(
                {Stage::content, std::exchange(pending_, {}), all.substr(from, end - from), {}});
            from = end;
        }
        turns_.push_back(
            {Stage::eom, std::exchange(pending_, {}), all.substr(from), end_of_message});
    }

    std::vector<Turn> turns() {
        if (!pending_.empty()) {
            turns_.push_back({Stage::helo, std::exchange(pending_, {}), {}, {}, false});
        }
        return std::exchange(turns_, {});
    }

private:
    unsigned long steps_;
    std::string pending_;
    std::vector<Turn> turns_;
};

void tell_greeting(Dialogue& dialogue, const Sample& sample) {
    dialogue.tell(Stage::connect,
                  {SMFIP_NOCONNECT, SMFIP_NR_CONN},
                  event(SMFIC_CONNECT,
                        {{"j", "mx.bench.test"},
                         {"{daemon_name}", "mx"},
                         {"v", "bench"},
                         {"{client_addr}", sample.client},
                         {"{client_name}", sample.client_name}},
                        connect_content(sample)));
    dialogue.tell(
        Stage::helo, {SMFIP_NOHELO, SMFIP_NR_HELO}, event(SMFIC_HELO, {}, with_null(sample.helo)));
}

} // namespace

std::vector<Turn> greeting(const Sample& sample, unsigned long steps) {
    Dialogue dialogue{steps};
    tell_greeting(dialogue, sample);
    return dialogue.turns();
}

std::vector<Turn> whole_dialogue(const Sample& sample, unsigned long steps, std::uint64_t number) {
    Dialogue dialogue{steps};
    const std::string queue_id = "B" + std::to_string(number);
    tell_greeting(dialogue, sample);
    dialogue.tell(Stage::mail,
                  {SMFIP_NOMAIL, SMFIP_NR_MAIL},
                  event(SMFIC_MAIL,
                        {{"i", queue_id}, {"{mail_addr}", sample.mail_from}},
                        with_null("<" + sample.mail_from + ">")));
    dialogue.tell(
        Stage::rcpt,
        {SMFIP_NORCPT, SMFIP_NR_RCPT},
        event(SMFIC_RCPT, {{"{rcpt_addr}", sample.rcpt}}, with_null("<" + sample.rcpt + ">")));
    dialogue.tell(
        Stage::data, {SMFIP_NODATA, SMFIP_NR_DATA}, event(SMFIC_DATA, {{"i", queue_id}}, {}));
    dialogue.tell_message(sample.content->packets(steps),
                          event(SMFIC_BODYEOB, {{"i", queue_id}}, {}));
    return dialogue.turns();
}

} // namespace bench
