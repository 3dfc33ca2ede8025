// Writes the seeds of dkim_fuzz that no mutation would find: messages with valid signatures.
// Usage: dkim_seeds FOLDER. The keys are new each time, so that a run replaces all of them.
#include "tests/verify/dkim_signer.hpp"

#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using tests::SigningKey;
using tests::SigningOptions;

// The octets that a line of input.hpp cannot hold.
std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        switch (c) {
        case '\n': result += "\\n"; break;
        case '\r': result += "\\r"; break;
        case '\\': result += "\\\\"; break;
        default: result += c;
        }
    }
    return result;
}

struct Seed {
    std::string file;
    const SigningKey& key;
    SigningOptions how;
    std::string key_tags;
};

void write(const std::string& folder, const Seed& seed) {
    const auto message = signed_message(tests::ordinary_message(), seed.key, seed.how);
    std::ofstream file{folder + '/' + seed.file};
    file << "txt sel._domainkey.example.org " << seed.key.record(seed.key_tags) << '\n';
    for (const auto& [name, value] : message.fields) {
        file << "header " << name << ':' << escaped(value) << '\n';
    }
    const auto half = message.body.size() / 2;
    file << "body " << escaped(message.body.substr(0, half)) << '\n'
         << "body " << escaped(message.body.substr(half)) << '\n';
}

} // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        return 64;
    }
    const auto rsa = SigningKey::rsa(1024);
    const auto small = SigningKey::rsa(512);
    const auto ed25519 = SigningKey::ed25519();
    const std::vector<Seed> seeds{
        {"rsa-relaxed", rsa, {}, ""},
        {"rsa-simple", rsa, {.canonicalization = "simple/simple"}, "t=s; "},
        {"rsa-mixed", rsa, {.canonicalization = "simple/relaxed"}, "h=sha256; s=email; "},
        {"rsa-sha1", rsa, {.algorithm = "rsa-sha1", .canonicalization = "relaxed/simple"}, ""},
        {"rsa-length", rsa, {.more_tags = "q=dns/txt; ", .limit = 5}, ""},
        {"rsa-small", small, {}, ""},
        {"rsa-testing", rsa, {.more_tags = "i=a=40b@example.org; t=1; "}, "t=y:s; n=note; "},
        {"rsa-expired", rsa, {.more_tags = "t=1; x=2; "}, ""},
        {"rsa-no-more-from", rsa, {.header_list = "from:from:x-none:subject"}, ""},
        {"ed25519", ed25519, {.algorithm = "ed25519-sha256"}, ""},
        {"ed25519-simple",
         ed25519,
         {.algorithm = "ed25519-sha256", .canonicalization = "simple/simple"},
         ""},
    };
    for (const auto& seed : seeds) {
        write(arguments[1], seed);
    }
}
