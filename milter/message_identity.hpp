// What tells one message from others of the same sender, and is the same each time that it is sent.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace milter {

class MessageIdentity {
public:
    // A field of the message; `value` is all that follows the colon.
    void note(std::string_view name, std::string_view value);

    // The Message-ID; of a message that has none, its Date, From and Subject. Empty where it has no
    // Date either.
    std::string text() const;

private:
    std::array<std::string, 4> values_; // of those fields: the first of each that has a value
};

} // namespace milter
