// An MTA that only keeps what it is asked for: for explain, and for the tests of Session.
#pragma once

#include "milter/mta.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace milter {

class RecordedMta final : public Mta {
public:
    std::string macro(const char* name) override {
        const auto known = macros.find(name);
        return known == macros.end() ? std::string{} : known->second;
    }

    void insert_header(std::string_view name, const std::string& value) override {
        inserted.emplace_back(name, value);
    }

    void delete_header(std::string_view name, int index) override {
        deleted.emplace_back(name, index);
    }

    void set_reply(const policy::Reply& given) override { reply = given; }

    void progress() override { ++progress_calls; }

    std::map<std::string, std::string, std::less<>> macros; // what it answers

    std::vector<std::pair<std::string, std::string>> inserted; // the last one is on top
    std::vector<std::pair<std::string, int>> deleted;
    std::optional<policy::Reply> reply;
    int progress_calls = 0;
};

} // namespace milter
