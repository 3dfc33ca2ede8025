#include "milter/store/redis_trouble.hpp"

#include "policy/printable.hpp"

#include <algorithm>
#include <array>

namespace store {

namespace {

struct Trouble {
    std::string_view error; // how it begins
    std::string_view meaning;
};

constexpr std::string_view is_cluster =
    "it is part of a Redis Cluster, which sixgate does not support";
constexpr std::string_view lacks_rights =
    "its user may not do this: sixgate.toml(5) says what it must be allowed";
constexpr std::string_view is_too_old = "it is older than Redis 7.0, which sixgate needs";

constexpr auto troubles = std::to_array<Trouble>({
    {"NOAUTH", "it wants a password: set store.password_file"},
    {"WRONGPASS", "the user in store.url or the password in store.password_file is wrong"},
    {"ERR AUTH <password> called without", "it knows no password: remove store.password_file"},
    {"NOPERM", lacks_rights},
    {"ERR The user executing the script", lacks_rights}, // as Redis 7.0 says it
    {"READONLY", "it is a read-only replica: name the primary in store.url"},
    {"MASTERDOWN", "it is a replica that has lost its primary: name the primary in store.url"},
    {"NOREPLICAS", "it has too few replicas to write (min-replicas-to-write)"},
    {"LOADING", "it has just started and loads its data: it will be tried again"},
    {"OOM", "it has no memory left: raise its maxmemory, or lower store.max_entries"},
    {"MISCONF", "it cannot write to its disk, and takes nothing until it can"},
    {"WRONGTYPE", "somebody else's data is in the place of the journal: take another database"},
    {"BUSY", "a script of somebody keeps it busy: it will be tried again"},
    {"ERR max number of clients", "it has too many clients: raise its maxclients"},
    {"ERR DB index is out of range", "it has no database of that number: see store.url"},
    {"ERR unknown command", is_too_old},
    {"ERR Invalid stream ID", is_too_old},
    {"MOVED", is_cluster},
    {"ASK", is_cluster},
    {"CLUSTERDOWN", is_cluster},
});

} // namespace

std::string what_to_do_about(std::string_view error) {
    const std::string words = policy::printable(error.substr(0, error.find(" script: ")), 200);
    const auto known = std::ranges::find_if(
        troubles, [&](const Trouble& trouble) { return error.starts_with(trouble.error); });
    return known == troubles.end() ? "refuses: " + words
                                   : std::string{known->meaning} + " (" + words + ')';
}

} // namespace store
