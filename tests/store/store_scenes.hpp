// A store of each kind for a test, and what is asked of all of them.
#pragma once

#include "milter/store/redis_store.hpp"
#include "milter/store/sqlite_store.hpp"
#include "milter/store/store.hpp"
#include "tests/store/entry_makers.hpp"
#include "tests/store/redis_server.hpp"
#include "tests/store/temporary_folder.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace tests {

using Words = std::vector<std::string>;

// Of every file in the folder.
inline std::string octets_in(const TemporaryFolder& folder) {
    std::ostringstream all;
    for (const auto& file : std::filesystem::directory_iterator{folder.file("")}) {
        std::ifstream stream{file.path(), std::ios::binary};
        if (stream.peek() != std::ifstream::traits_type::eof()) {
            all << stream.rdbuf();
        }
    }
    return all.str();
}

class SqliteScene {
public:
    std::unique_ptr<store::Store> open(store::Access access) const {
        return std::make_unique<store::SqliteStore>(folder_.file("sixgate.db"), access);
    }

    // Of all that is written of it anywhere.
    std::string octets() const { return octets_in(folder_); }

private:
    TemporaryFolder folder_;
};

class RedisScene {
public:
    std::unique_ptr<store::Store> open(store::Access access) const {
        return std::make_unique<store::RedisStore>(server_.access(), "", access);
    }

    std::string octets() const { return server_.octets(); }

private:
    RedisServer& server_ = empty_redis_server();
};

inline std::vector<policy::JournalEntry> all_of(store::Store& store,
                                                const store::Filter& filter = {}) {
    std::vector<policy::JournalEntry> entries;
    store.read(filter, 0, [&](const auto& entry) { entries.push_back(entry); });
    return entries;
}

inline Words cases_after(store::Store& store,
                         store::Store::Position& position,
                         const store::Filter& filter = {}) {
    Words cases;
    const auto reading =
        store.read(filter, position, [&](const auto& entry) { cases.push_back(entry.case_id); });
    position = reading.position;
    return cases;
}

inline Words cases_of(store::Store& store, const store::Filter& filter = {}) {
    store::Store::Position position = 0;
    return cases_after(store, position, filter);
}

inline policy::JournalEntry entry_of(const std::string& case_id, const std::string& domain) {
    policy::JournalEntry entry = tests::entry(case_id);
    entry.evidence.mail_from_domain = domain;
    entry.evidence.mail_from = domain.empty() ? "" : "user@" + domain;
    entry.evidence.spf_mail_from->domain = domain;
    return entry;
}

inline void append_one(store::Store& store, const policy::JournalEntry& entry) {
    store.append({&entry, 1});
}

} // namespace tests
