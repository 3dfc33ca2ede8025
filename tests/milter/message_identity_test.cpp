#include "milter/message_identity.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace {

using Fields = std::vector<std::pair<const char*, std::string>>;

std::string identity_of(const Fields& fields) {
    milter::MessageIdentity identity;
    for (const auto& [name, value] : fields) {
        identity.note(name, value);
    }
    return identity.text();
}

const Fields without_id{{"Date", " Sun, 22 Nov 2026 12:00:00 +0000"},
                        {"From", " user@example.org"},
                        {"Subject", " Hello"}};

} // namespace

TEST_CASE("a message is known by its Message-ID, however it is written") {
    const std::string id = identity_of({{"Message-ID", " <1@example.org>"}});
    CHECK(id == "<1@example.org>");
    CHECK(identity_of({{"message-id", "\n\t<1@example.org> "}}) == id);
    CHECK(identity_of({{"Message-ID", " "}, {"Message-Id", "<1@example.org>"}}) == id);
    CHECK(identity_of({{"Message-ID", "<1@example.org>"}, {"Message-ID", "<2@example.org>"}}) ==
          id);
    CHECK(identity_of({{"Message-ID", "<2@example.org>"}}) != id);
    auto fields = without_id;
    fields.emplace_back("Message-ID", "<1@example.org>");
    CHECK(identity_of(fields) == id);
}

TEST_CASE("one without it is known by its date, author and subject") {
    const std::string identity = identity_of(without_id);
    CHECK_FALSE(identity.empty());
    for (std::size_t i = 0; i < without_id.size(); ++i) {
        auto other = without_id;
        other[i].second += "x";
        CHECK(identity_of(other) != identity);
    }
    CHECK(identity_of({{"From", " user@example.org"}, {"Subject", " Hello"}}).empty());
    CHECK(identity_of({}).empty());
    // Nothing that strangers write makes it another message's Message-ID.
    CHECK(identity.front() == '\n');
}

TEST_CASE("of a field that is too long its beginning counts") {
    const std::string start(1'000, 'x');
    CHECK(identity_of({{"Message-ID", start + "a"}}) == identity_of({{"Message-ID", start + "b"}}));
    CHECK(identity_of({{"Message-ID", start}}).size() == start.size());
}
