// DKIM as a milter feeds it: fields, then the body in pieces, with keys from the fuzzer.
//
//     txt NAME KEY      fail NAME TYPE      header NAME:VALUE      body OCTETS
#include "milter/verify/dkim.hpp"
#include "milter/verify/public_key_cache.hpp"
#include "policy/authentication_results.hpp"
#include "tests/fuzz/output.hpp"

namespace {

using fuzz::require;
using Signatures = std::vector<policy::DkimSignature>;

struct Message {
    tests::FakeResolver dns;
    std::vector<std::pair<std::string, std::string>> fields;
    std::vector<std::string> pieces; // of the body
};

void read(Message& message, std::string_view input) {
    for (const auto& item : fuzz::items_of(input)) {
        std::string_view value{item.text};
        if (item.word == "header") {
            const auto name = fuzz::take_until(':', value);
            message.fields.emplace_back(name, value);
        } else if (item.word == "body") {
            message.pieces.push_back(item.text);
        } else {
            fuzz::add_to_zone(message.dns, item);
        }
    }
}

Signatures verified(Message& message, const std::vector<std::string>& pieces) {
    verify::Lookups lookups{message.dns};
    verify::DkimVerifier dkim;
    for (const auto& [name, value] : message.fields) {
        dkim.header(name, value);
    }
    dkim.end_of_header(lookups);
    for (const auto& piece : pieces) {
        dkim.body({reinterpret_cast<const unsigned char*>(piece.data()), piece.size()});
    }
    return dkim.end_of_message(lookups);
}

void require_sound(const Signatures& signatures, const Message& message) {
    require(signatures.size() <= 10, "at most ten signatures count");
    for (const auto& signature : signatures) {
        const bool passes = signature.result == policy::DkimResult::pass;
        require(signature.result != policy::DkimResult::none, "every signature has a result");
        require(passes == signature.problem.empty(), "what does not pass says why");
        require(!passes || (!signature.sdid.empty() && !signature.selector.empty()),
                "who passes has a name");
        require(!passes || signature.algorithm.find("sha1") == std::string::npos,
                "rsa-sha1 does not pass");
        require(!passes || signature.key_bits == 256 || signature.key_bits >= 1024,
                "a weak key does not pass");
    }
    require(message.dns.asked.size() <= 10, "at most ten keys are asked for");
    policy::Evidence evidence;
    evidence.dkim = signatures;
    fuzz::require_sound_field(policy::authentication_results("mx.example.net", evidence));
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
    Message message;
    read(message, fuzz::text_of(octets, size));
    verify::set_public_key_cache(0); // forgets
    verify::set_public_key_cache(16);
    const auto signatures = verified(message, message.pieces);
    require_sound(signatures, message);
    std::string whole;
    for (const auto& piece : message.pieces) {
        whole += piece;
    }
    require(verified(message, {whole}) == signatures,
            "it does not matter where the body is cut, nor that the keys are known");
    return 0;
}
