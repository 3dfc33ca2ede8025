// What a Session may ask of the MTA: libmilter in the daemon, a record of the calls elsewhere.
#pragma once

#include "policy/reply.hpp"

#include <string>
#include <string_view>

namespace milter {

class Mta {
public:
    Mta() = default;
    Mta(const Mta&) = delete;
    Mta& operator=(const Mta&) = delete;
    virtual ~Mta() = default;

    // The macro's value as sent with the present event or an earlier one; empty where there is
    // none. `name` with its braces: "{daemon_addr}".
    virtual std::string macro(const char* name) = 0;

    // Only at the end of the message. `value` is folded with LF and has no leading space.
    virtual void insert_header(std::string_view name, const std::string& value) = 0; // on top
    // `index` counts the message's own fields of that name from 1.
    virtual void delete_header(std::string_view name, int index) = 0;

    // For the refusal that the event is about to return.
    virtual void set_reply(const policy::Reply& reply) = 0;

    // Asks for more time at the end of the message.
    virtual void progress() = 0;
};

} // namespace milter
