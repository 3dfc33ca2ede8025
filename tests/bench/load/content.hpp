// A message as the packets of its header and body. All sessions that send it share them.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

struct Packets {
    std::string octets;
    std::vector<std::size_t> waits; // where in `octets` an answer must have come
};

class Content {
public:
    // As on the wire, with CRLF. Throws std::runtime_error for what is not a message.
    explicit Content(std::string octets);

    Content(const Content&) = delete;
    Content& operator=(const Content&) = delete;
    ~Content() = default;

    // `steps` as the filter wants them (SMFIP_).
    const Packets& packets(unsigned long steps);

    // Name and value, which stand beside each other with a colon between them.
    const std::vector<std::pair<std::string_view, std::string_view>>& fields() const {
        return fields_;
    }

    std::string_view body() const { return body_; }

private:
    void append_header(Packets& packets, unsigned long steps) const;

    std::string octets_;
    std::vector<std::pair<std::string_view, std::string_view>> fields_;
    std::string_view body_;
    std::map<unsigned long, Packets> by_steps_;
};

} // namespace bench
