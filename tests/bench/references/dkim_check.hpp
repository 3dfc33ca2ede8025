// DKIM by libopendkim alone: one message, its keys in memory.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace bench {

// Reads keys.tsv of the corpus: names and texts of key records. Call it once, before all else.
void load_keys(const std::string& file);

class DkimCheck {
public:
    DkimCheck();
    ~DkimCheck();

    DkimCheck(const DkimCheck&) = delete;
    DkimCheck& operator=(const DkimCheck&) = delete;

    // A whole field, folds as CRLF.
    void header(std::string_view field);
    void end_of_header();
    void body(std::string_view octets);
    bool passes();

private:
    struct Message;
    std::unique_ptr<Message> message_;
};

} // namespace bench
